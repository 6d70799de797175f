import type { Socket } from 'node:net'
import { BodyDecoder, type BodySink, MalformedMessage } from './body-decoder.ts'
import { checkRequest, type RequestHead } from './check-request.ts'
import type { ClientSide } from './client-side.ts'
import type { RouterCore } from './core.ts'
import { Exchange } from './exchange.ts'
import { OutputBatch } from './output-batch.ts'
import { writePage } from './pages.ts'
import { Refusal } from './refusal.ts'
import { connectionLines } from './write-heads.ts'

/** `fresh`: no byte yet · `idle`: between requests · `head`: in the middle of one · `exchange` · `closing`: the last response is out. */
type State = 'fresh' | 'idle' | 'head' | 'exchange' | 'closing' | 'upgraded'

const headEnd = Buffer.from('\r\n\r\n')
const empty = Buffer.alloc(0)
const cr = 13
const lf = 10

/** A client's connection: cuts its bytes into requests and serves one after the other. */
export class ClientConnection implements ClientSide, BodySink {
  readonly socket: Socket
  readonly out: OutputBatch
  readonly forwardedLines: string
  readonly #core: RouterCore
  #state: State = 'fresh'
  /** Bytes that came and are nobody's yet: a part of a head, an unread body, pipelined requests. */
  #held: Buffer = empty
  #exchange: Exchange | undefined
  #body: BodyDecoder | undefined
  #isBodyFlowing = false
  #isPaused = false
  #isReading = false
  /** In this state, or without progress. */
  #ticks = 0
  #writtenAtTick = 0

  constructor(core: RouterCore, socket: Socket) {
    this.#core = core
    this.socket = socket
    this.out = new OutputBatch(socket)
    this.forwardedLines = connectionLines(socket.remoteAddress ?? 'unknown', socket.localPort ?? 0)
    socket.on('data', (chunk: Buffer) => this.#receive(chunk))
    socket.on('drain', () => this.#drained())
    socket.on('end', () => this.#ended())
    socket.on('error', () => undefined) // `close` follows
    socket.on('close', () => this.#exchange?.onClientGone())
  }

  get isRequestComplete(): boolean {
    return this.#body === undefined
  }

  #receive(chunk: Buffer): void {
    if (this.#state === 'closing') return // read, so that the client gets the response and no reset
    if (this.#isBodyFlowing) return void this.#feedBody(chunk)
    this.#held = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk])
    if (this.#state === 'exchange') this.#pause()
    else this.#readRequests()
  }

  #readRequests(): void {
    if (this.#isReading) return
    this.#isReading = true
    while (this.#held.length > 0 && this.#isBetweenRequests && !this.socket.writableNeedDrain) {
      if (!this.#readRequest()) break
    }
    this.#isReading = false
  }

  get #isBetweenRequests(): boolean {
    return this.#state === 'fresh' || this.#state === 'idle' || this.#state === 'head'
  }

  /** Begins the request at the start of the held bytes; false when it is not whole yet, or refused. */
  #readRequest(): boolean {
    const { maxHeadBytes, maxFields } = this.#core.limits
    if (this.#state !== 'head') {
      // an empty line before a request is skipped (RFC 9112 §2.2)
      if (this.#held[0] === cr && this.#held[1] === lf) this.#held = this.#held.subarray(2)
      this.#state = 'head'
      this.#ticks = 0
    }
    const end = this.#held.indexOf(headEnd)
    if (end > maxHeadBytes || (end === -1 && this.#held.length > maxHeadBytes)) {
      return this.#refuse(new Refusal(431, 'The request head is too large.'))
    }
    if (end === -1) return isHopeless(this.#held) && this.#refuse(new Refusal(400, 'This is no HTTP/1.1 request.'))
    const request = checkRequest(this.#held.toString('latin1', 0, end + 2), { maxFields })
    this.#held = this.#held.length === end + 4 ? empty : this.#held.subarray(end + 4)
    if (request instanceof Refusal) return this.#refuse(request)
    this.#begin(request)
    return true
  }

  #begin(request: RequestHead): void {
    this.#state = 'exchange'
    const body = request.body.kind === 'none' ? undefined : new BodyDecoder(request.body)
    this.#body = body?.isDone ? undefined : body
    if (this.#body) this.#pause()
    const exchange = new Exchange(this.#core, this, request)
    this.#exchange = exchange
    exchange.start()
  }

  #refuse(refusal: Refusal): false {
    const page = { ...refusal, message: refusal.reason, requestId: this.#core.newRequestId(), isHtml: false }
    this.out.add(writePage(page, 'Connection: close\r\n'))
    this.out.flush()
    this.#close()
    return false
  }

  startBody(): void {
    if (!this.#body) return
    this.#isBodyFlowing = true
    const held = this.#held
    this.#held = empty
    if (held.length > 0) this.#feedBody(held)
    if (this.#isBodyFlowing) this.resumeBody()
  }

  pauseBody(): void {
    if (this.#isBodyFlowing) this.#pause()
  }

  resumeBody(): void {
    if (this.#isBodyFlowing) this.#resume()
  }

  #pause(): void {
    if (this.#isPaused) return
    this.#isPaused = true
    this.socket.pause()
  }

  #resume(): void {
    if (!this.#isPaused) return
    this.#isPaused = false
    this.socket.resume()
  }

  #feedBody(chunk: Buffer): void {
    const body = this.#body
    const exchange = this.#exchange
    if (!body || !exchange) return
    let used = 0
    try {
      used = body.decode(chunk, this)
    } catch (error) {
      if (!(error instanceof MalformedMessage)) throw error
      return void exchange.onMalformedBody()
    }
    if (!body.isDone) return void exchange.onRequestTurn()
    this.#body = undefined
    this.#isBodyFlowing = false
    if (used < chunk.length) this.#held = chunk.subarray(used)
    this.#resume()
    exchange.onRequestEnd()
  }

  onBodyData(data: Buffer): void {
    this.#exchange?.onRequestData(data)
  }

  finish(keepsAlive: boolean): void {
    this.#exchange = undefined
    this.#isBodyFlowing = false
    if (!keepsAlive || this.#body) return void this.#close()
    this.#state = 'idle'
    this.#ticks = 0
    this.#resume()
    if (this.#held.length > 0) this.#readRequests()
  }

  takeOver(): Buffer {
    this.#state = 'upgraded'
    this.#exchange = undefined
    for (const event of ['data', 'drain', 'end']) this.socket.removeAllListeners(event)
    const held = this.#held
    this.#held = empty
    return held
  }

  /** Says that nothing more comes, then reads on until the client closes: a reset could destroy the response on its way. */
  #close(): void {
    this.#state = 'closing'
    this.#ticks = 0
    this.#body = undefined
    this.#held = empty
    this.socket.end()
    this.#resume()
  }

  #drained(): void {
    this.#exchange?.onClientDrain()
    if (!this.#exchange) this.#readRequests()
  }

  /** The client closed its side: it waits for no answer any more. */
  #ended(): void {
    this.#exchange?.onClientGone()
    this.socket.destroy()
  }

  /** Called each tick: keeps the time limits. */
  tick(): void {
    const { limits } = this.#core
    const elapsedMs = ++this.#ticks * limits.tickMs
    switch (this.#state) {
      case 'exchange':
        return void this.#exchange?.tick()
      case 'fresh':
        if (elapsedMs > limits.requestHeadMs) this.socket.destroy()
        return
      case 'idle':
        if (elapsedMs > limits.clientIdleMs) this.#close()
        return
      case 'head':
        if (elapsedMs > limits.requestHeadMs) this.#refuse(new Refusal(408, 'The request head took too long.'))
        return
      case 'closing':
        this.#tickClosing(elapsedMs)
    }
  }

  /** The linger begins when everything is out; a slow reader has as long as a body may stand still. */
  #tickClosing(elapsedMs: number): void {
    const { lingerMs, bodyIdleMs } = this.#core.limits
    if (this.socket.writableLength > 0 && this.socket.bytesWritten !== this.#writtenAtTick) this.#ticks = 0
    this.#writtenAtTick = this.socket.bytesWritten
    if (elapsedMs > (this.socket.writableLength > 0 ? bodyIdleMs : lingerMs)) this.socket.destroy()
  }
}

/** Whether no byte to come can make this a request: a TLS hello, or lines that end in a bare LF. */
function isHopeless(held: Buffer): boolean {
  const first = held[0] ?? 0
  if (first < 33 && !(first === cr && held.length === 1)) return true
  const newline = held.indexOf(lf)
  return newline !== -1 && held[newline - 1] !== cr
}
