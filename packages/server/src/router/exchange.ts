import type { RequestHead } from './check-request.ts'
import type { ResponseHead } from './check-response.ts'
import type { ClientSide } from './client-side.ts'
import type { RouterCore } from './core.ts'
import { OpenRequest } from './open-request.ts'
import { addBody, lastChunk } from './output-batch.ts'
import { Reply } from './reply.ts'
import { splice } from './splice.ts'
import type { HeldRequest, Route } from './table.ts'
import type { Target } from './target.ts'
import type { ResponseListener, UpstreamConnection } from './upstream-connection.ts'
import { type Forwarding, writeRequestHead, writeSwitchingHead } from './write-heads.ts'

/**
 * `held`: waits for the route · `connecting` and `checking` (a kept connection): nothing was sent yet ·
 * `sent`: waits for the response's head · `replying` · `upgraded` · `ended`.
 */
type Phase = 'held' | 'connecting' | 'checking' | 'sent' | 'replying' | 'upgraded' | 'ended'

/** Methods that may be sent twice (RFC 9110 §9.2.1). */
const safeMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE'])

/**
 * One request's way to an instance and back. A request that was not sent goes to another instance, whatever its method:
 * its body is not touched before that. One that may have arrived is sent a second time, once, only if its method is safe,
 * it has no body and no byte of a response came.
 */
export class Exchange implements ResponseListener, HeldRequest {
  readonly #core: RouterCore
  readonly #client: ClientSide
  readonly #request: RequestHead
  readonly #forwarding: Forwarding
  readonly #reply: Reply
  readonly #count: OpenRequest
  readonly #isSafe: boolean
  #phase: Phase = 'ended'
  #route: Route | undefined
  #target: Target | undefined
  #connection: UpstreamConnection | undefined
  #tried: Target[] = []
  #isRepeated = false
  #mayRepeatOnTried = false
  /** Since the last progress. */
  #ticks = 0

  constructor(core: RouterCore, client: ClientSide, request: RequestHead) {
    this.#core = core
    this.#client = client
    this.#request = request
    const requestId = request.requestId ?? core.newRequestId()
    this.#forwarding = { connectionLines: client.forwardedLines, requestId, receivedAtMs: core.wallMs() }
    this.#reply = new Reply(request, requestId, client.out)
    this.#count = new OpenRequest(core.nowMs)
    this.#isSafe = safeMethods.has(request.method) && isBodiless(request)
  }

  start(): void {
    const route = this.#core.table.find(this.#request.host)
    if (!route) {
      if (this.#core.table.position) this.#answer(404, 'No app is served under this name.')
      else this.#answer(503, 'The router has no routes yet.')
      return
    }
    this.#route = route
    this.#count.countFor(route.counters)
    if (route.entry.mode === 'hold') return void this.#hold(route)
    const target = this.#choose(route)
    if (target) return void this.#use(target)
    if (this.#tried.length > 0) return void this.#answer(502, 'The app does not answer.')
    this.#answer(503, 'The app has no instance that takes requests.')
  }

  #choose(route: Route): Target | undefined {
    const target = route.choose(this.#tried) ?? (this.#mayRepeatOnTried ? route.choose([]) : undefined)
    this.#mayRepeatOnTried = false
    return target
  }

  #hold(route: Route): void {
    if (route.held.size >= this.#core.limits.maxHeld)
      return void this.#answer(503, 'Too many requests wait for the app.')
    route.held.add(this)
    if (this.#phase !== 'held') this.#ticks = 0
    this.#phase = 'held'
  }

  onRouteChanged(): void {
    if (this.#phase === 'held') this.start()
  }

  #use(target: Target): void {
    this.#target = target
    target.enter()
    this.#ticks = 0
    const idle = this.#isRepeated || this.#request.upgrade ? undefined : target.takeIdle(this.#isSafe)
    const connection = idle ?? target.connect()
    this.#connection = connection
    connection.attach(this)
    if (!idle) {
      this.#phase = 'connecting'
    } else if (this.#isSafe) {
      this.#send()
    } else {
      this.#phase = 'checking'
      // a FIN that has come already is noticed before the request goes out
      setImmediate(() => this.#phase === 'checking' && this.#connection === connection && this.#send())
    }
  }

  onConnected(): void {
    if (this.#phase === 'connecting') this.#send()
  }

  #send(): void {
    const connection = this.#connection
    if (!connection) return
    if (this.#target?.isRetired) {
      connection.destroy()
      return void this.#startAgain()
    }
    this.#phase = 'sent'
    this.#ticks = 0
    connection.begin(this.#request.method)
    connection.out.add(writeRequestHead(this.#request, this.#forwarding))
    this.#client.startBody()
    if (this.#phase === 'sent') connection.flush()
  }

  #startAgain(): void {
    this.#leaveTarget()
    this.start()
  }

  #leaveTarget(): void {
    const target = this.#target
    this.#target = undefined
    this.#connection = undefined
    target?.leave()
  }

  onRequestData(data: Buffer): void {
    if (this.#connection) addBody(this.#connection.out, data, this.#request.body.kind === 'chunked')
  }

  onRequestTurn(): void {
    this.#ticks = 0
    if (this.#connection && !this.#connection.flush()) this.#client.pauseBody()
  }

  onRequestEnd(): void {
    this.#ticks = 0
    if (!this.#connection) return
    if (this.#request.body.kind === 'chunked') this.#connection.out.add(lastChunk)
    this.#connection.flush()
  }

  onMalformedBody(): void {
    if (this.#phase === 'sent') this.#answer(400, 'The request body is malformed.')
    else this.#abandon()
  }

  onUpstreamDrain(): void {
    this.#ticks = 0
    this.#client.resumeBody()
  }

  onInterim(head: ResponseHead): void {
    this.#reply.interim(head)
  }

  onResponseHead(head: ResponseHead): void {
    if (head.status === 101) return void this.#switchProtocol(head)
    this.#phase = 'replying'
    this.#reply.begin(head, !this.#core.isDraining && this.#client.isRequestComplete)
  }

  onBodyData(data: Buffer): void {
    this.#reply.data(data)
  }

  onResponseTurn(): void {
    this.#ticks = 0
    if (!this.#client.out.flush()) this.#connection?.socket.pause()
  }

  onClientDrain(): void {
    this.#ticks = 0
    this.#connection?.socket.resume()
  }

  onResponseEnd(): void {
    const client = this.#client
    this.#reply.end()
    client.out.flush()
    const isComplete = client.isRequestComplete
    const connection = this.#connection
    if (isComplete && this.#request.upgrade === undefined) connection && this.#target?.release(connection)
    else connection?.destroy()
    this.#end(this.#reply.responseClass ?? '5xx')
    client.finish(isComplete && this.#reply.keepsAlive)
  }

  onBroken({ afterBytes }: { readonly afterBytes: boolean }): void {
    const phase = this.#phase
    const target = this.#target
    if (phase === 'checking') return void this.#startAgain()
    if (phase === 'connecting') {
      target?.avoid()
      if (target) this.#tried.push(target)
      return void this.#startAgain()
    }
    if (phase === 'replying') return void this.#abandon()
    if (phase !== 'sent') return
    if (afterBytes || this.#isRepeated || !this.#isSafe)
      return void this.#answer(502, 'The app closed the connection without an answer.')
    this.#isRepeated = true
    this.#mayRepeatOnTried = true
    if (target) this.#tried.push(target)
    this.#startAgain()
  }

  #switchProtocol(head: ResponseHead): void {
    const connection = this.#connection
    if (!connection || this.#request.upgrade === undefined || head.upgrade === undefined) {
      return void this.#answer(502, 'The app answered with an upgrade that nobody asked for.')
    }
    this.#phase = 'upgraded'
    this.#count.upgraded()
    const { out, socket } = this.#client
    const fromApp = connection.takeOver()
    const fromClient = this.#client.takeOver()
    out.add(writeSwitchingHead(head))
    if (fromApp.length > 0) out.add(fromApp)
    out.flush()
    if (fromClient.length > 0) connection.socket.write(fromClient)
    splice(socket, connection.socket, this.#core.limits.lingerMs, () => this.#end('1xx'))
  }

  /** The client went away: whatever is under way to the app ends too. */
  onClientGone(): void {
    if (this.#phase === 'ended' || this.#phase === 'upgraded') return
    this.#connection?.destroy()
    this.#end(this.#reply.responseClass ?? 'router_499')
  }

  /** Called each tick: keeps the time limits. */
  tick(): void {
    const { limits } = this.#core
    const idleMs = ++this.#ticks * limits.tickMs
    switch (this.#phase) {
      case 'held':
        if (idleMs > limits.holdMs) this.#answer(503, 'The app is being replaced and took too long.')
        break
      case 'connecting':
        if (idleMs > limits.connectMs) this.#connectTimedOut()
        break
      case 'sent':
        if (!this.#client.isRequestComplete) {
          if (idleMs > limits.bodyIdleMs) this.#abandon()
        } else if (idleMs > limits.responseHeadMs) this.#answer(504, 'The app took too long to answer.')
        break
      case 'replying':
        if (!this.#reply.isEventStream && idleMs > limits.bodyIdleMs) this.#abandon()
    }
  }

  #connectTimedOut(): void {
    this.#connection?.destroy()
    this.onBroken({ afterBytes: false })
  }

  /** The response cannot be finished: the client has to see that it is cut. */
  #abandon(): void {
    this.onClientGone()
    this.#client.socket.destroy()
  }

  #answer(status: number, message: string): void {
    this.#connection?.destroy()
    const client = this.#client
    this.#reply.page(status, message, client.isRequestComplete && !this.#core.isDraining)
    client.out.flush()
    this.#end(`router_${status}`)
    client.finish(this.#reply.keepsAlive)
  }

  #end(responseClass: string): void {
    this.#phase = 'ended'
    this.#route?.held.delete(this)
    this.#leaveTarget()
    this.#count.ended(responseClass)
  }
}

function isBodiless(request: RequestHead): boolean {
  return request.body.kind === 'none' || (request.body.kind === 'length' && request.body.bytes === 0)
}
