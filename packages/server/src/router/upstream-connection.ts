import { connect, type Socket } from 'node:net'
import { BodyDecoder, type BodySink, MalformedMessage } from './body-decoder.ts'
import { checkResponse, type ResponseHead } from './check-response.ts'
import { OutputBatch } from './output-batch.ts'
import type { RouteTarget } from './protocol.ts'
import { readUnread } from './unread-bytes.ts'

/** What happens to the request that a connection carries. After `onResponseEnd` or `onBroken` nothing more comes. */
export interface ResponseListener extends BodySink {
  onConnected(): void
  onInterim(head: ResponseHead): void
  onResponseHead(head: ResponseHead): void
  /** Everything that one read brought has been told. */
  onResponseTurn(): void
  onResponseEnd(): void
  /** `afterBytes`: some of the response had come. Not connected, no byte, or in the middle: the listener knows which. */
  onBroken(failure: { readonly afterBytes: boolean }): void
  /** The socket takes request bytes again. */
  onUpstreamDrain(): void
}

const headEnd = Buffer.from('\r\n\r\n')
const empty = Buffer.alloc(0)

/** One connection to an instance: carries one request at a time and reads its response, strictly. */
export class UpstreamConnection {
  readonly socket: Socket
  readonly out: OutputBatch
  isConnected = false
  isClosed = false
  /** Requests that were begun on it. */
  requests = 0
  idleSinceMs = 0
  /** What the app said about how long it keeps an idle connection. */
  idleHintMs: number | undefined
  /** Whether the last response left it fit for another request. */
  isReusable = false
  #listener: ResponseListener | undefined
  #method = ''
  #held: Buffer = empty
  #decoder: BodyDecoder | undefined
  #hasBytes = false
  readonly #maxHeadBytes: number
  readonly #onClosed: (connection: UpstreamConnection) => void

  constructor(
    address: RouteTarget['address'],
    options: { maxHeadBytes: number; onClosed: (connection: UpstreamConnection) => void },
  ) {
    this.#maxHeadBytes = options.maxHeadBytes
    this.#onClosed = options.onClosed
    const socket = address.kind === 'tcp' ? connect({ ...address, noDelay: true }) : connect({ path: address.path })
    this.socket = socket
    this.out = new OutputBatch(socket)
    socket.on('connect', () => this.#connected())
    socket.on('data', (chunk: Buffer) => this.#read(chunk))
    socket.on('drain', () => this.#listener?.onUpstreamDrain())
    socket.on('end', () => this.#ended())
    socket.on('error', () => undefined) // `close` follows
    socket.on('close', () => this.#closed())
  }

  /** Who is told from now on: the request that waits for the connection, and then uses it. */
  attach(listener: ResponseListener): void {
    this.#listener = listener
  }

  /** Makes ready for the response to a request whose bytes the caller now adds to `out`. */
  begin(method: string): void {
    this.requests++
    this.#method = method
    this.#hasBytes = false
    this.#decoder = undefined
    this.isReusable = false
  }

  /** Writes what is in `out`; false: wait for `onUpstreamDrain`. */
  flush(): boolean {
    const isReady = this.out.flush()
    if (this.socket.errored && this.#listener) {
      const unread = readUnread(this.socket)
      if (unread.length > 0) this.#read(unread)
    }
    return isReady
  }

  /** Ends the use by its listener and the connection. */
  destroy(): void {
    this.#listener = undefined
    this.#destroySocket()
  }

  #destroySocket(): void {
    this.isClosed = true
    this.socket.destroy()
  }

  /** Gives the socket away for an upgrade, with the bytes that came after the head. */
  takeOver(): Buffer {
    const rest = this.#held
    this.#held = empty
    this.#listener = undefined
    for (const event of ['data', 'drain', 'end']) this.socket.removeAllListeners(event)
    return rest
  }

  #connected(): void {
    this.isConnected = true
    this.#listener?.onConnected()
  }

  #read(chunk: Buffer): void {
    if (!this.#listener) return void this.#destroySocket() // an answer that nobody asked for
    this.#hasBytes = true
    try {
      this.#consume(chunk)
    } catch (error) {
      if (error instanceof MalformedMessage) return void this.#break()
      throw error
    }
    this.#listener?.onResponseTurn()
  }

  #consume(chunk: Buffer): void {
    let input = chunk
    while (input.length > 0 && this.#listener) {
      if (!this.#decoder) {
        const rest = this.#readHead(input)
        if (!rest) return
        input = rest
      }
      if (!this.#decoder) continue
      const used = this.#decoder.decode(input, this.#listener)
      input = input.subarray(used)
      if (this.#decoder?.isDone) return void this.#end(input)
    }
  }

  /** Returns the bytes after the head; undefined when it is not whole yet, or the socket was taken over. */
  #readHead(chunk: Buffer): Buffer | undefined {
    const input = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk])
    const end = input.indexOf(headEnd)
    if (end > this.#maxHeadBytes || (end === -1 && input.length > this.#maxHeadBytes))
      throw new MalformedMessage('a response head is too large')
    this.#held = input
    if (end === -1) return undefined
    const head = checkResponse(input.toString('latin1', 0, end + 2), this.#method)
    if (!head) throw new MalformedMessage('a response head is malformed')
    this.#held = input.subarray(end + 4)
    if (head.status === 101) return void this.#listener?.onResponseHead(head)
    const rest = this.#held
    this.#held = empty
    if (head.status < 200) {
      this.#listener?.onInterim(head)
      return rest
    }
    this.#decoder = new BodyDecoder(head.body)
    this.isReusable = head.keepsAlive
    this.idleHintMs = head.idleHintMs
    this.#listener?.onResponseHead(head)
    if (this.#decoder?.isDone) this.#end(rest)
    return rest
  }

  #end(rest: Buffer): void {
    if (rest.length > 0) this.isReusable = false
    const listener = this.#listener
    this.#listener = undefined
    listener?.onResponseEnd()
  }

  /** The app closed its side: the end of a body that lasts until then, else a broken response. */
  #ended(): void {
    this.isReusable = false
    const listener = this.#listener
    if (!listener) return void this.#destroySocket()
    if (!this.#decoder?.endsAtClose) return void this.#break()
    this.#end(empty)
    this.#destroySocket()
  }

  #break(): void {
    const listener = this.#listener
    this.#listener = undefined
    this.#destroySocket()
    listener?.onBroken({ afterBytes: this.#hasBytes })
  }

  #closed(): void {
    this.isClosed = true
    this.#onClosed(this)
    const listener = this.#listener
    this.#listener = undefined
    listener?.onBroken({ afterBytes: this.#hasBytes })
  }
}
