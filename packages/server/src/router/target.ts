import type { RouterLimits } from './limits.ts'
import type { RouteTarget } from './protocol.ts'
import type { ReleaseCounters } from './release-counters.ts'
import { UpstreamConnection } from './upstream-connection.ts'

/** How long an idle connection is trusted when the app said nothing. Node closes its own after 5 s, gunicorn after 2 s. */
const idleMs = 4000
/** For requests that cannot be repeated: so short that no server in use has closed it meanwhile. */
const unsafeIdleMs = 1000
/** What an app says is believed up to here, less `hintMarginMs` for the way of its FIN. */
const maxIdleMs = 60_000
const hintMarginMs = 1000
/** After a failed connect others are preferred for so long. */
const avoidMs = 2000

export interface TargetDeps {
  readonly limits: RouterLimits
  readonly nowMs: () => number
  /** Targets that keep idle connections, so that a sweep need not look at all. */
  readonly withIdle: Set<Target>
  /** The last open request of a target that is out of the table has ended. */
  readonly onDrained: (target: Target) => void
}

/** One life of an instance, and the connections to it. Lives on, out of the table, until its last request has ended. */
export class Target {
  readonly instanceId: string
  readonly startedAt: string
  readonly address: RouteTarget['address']
  readonly counters: ReleaseCounters
  /** Requests and upgraded connections that are open to it. */
  open = 0
  /** Out of the table: gets no new request. */
  isRetired = false
  #avoidUntilMs = 0
  #connections = 0
  /** The one used last stands last: the freshest is taken first. */
  readonly #idle: UpstreamConnection[] = []
  readonly #deps: TargetDeps

  constructor(target: RouteTarget, counters: ReleaseCounters, deps: TargetDeps) {
    this.counters = counters
    counters.targets.add(this)
    this.instanceId = target.instanceId
    this.startedAt = target.startedAt
    this.address = target.address
    this.#deps = deps
  }

  get isAvoided(): boolean {
    return this.#deps.nowMs() < this.#avoidUntilMs
  }

  get isFull(): boolean {
    return this.#connections >= this.#deps.limits.maxPerInstance && this.#idle.length === 0
  }

  avoid(): void {
    this.#avoidUntilMs = this.#deps.nowMs() + avoidMs
  }

  enter(): void {
    this.open++
    this.counters.touch()
  }

  leave(): void {
    this.open--
    this.counters.touch()
    this.#endWhenDrained()
  }

  #endWhenDrained(): void {
    if (this.open > 0 || !this.isRetired) return
    this.counters.targets.delete(this)
    this.counters.touch()
    this.#deps.onDrained(this)
  }

  /** An idle connection that the app has hardly closed yet. `isSafe`: the request may be repeated if it had. */
  takeIdle(isSafe: boolean): UpstreamConnection | undefined {
    const now = this.#deps.nowMs()
    for (let connection = this.#idle.at(-1); connection; connection = this.#idle.at(-1)) {
      if (now - connection.idleSinceMs > trustedIdleMs(connection.idleHintMs, isSafe)) return undefined
      this.#idle.pop()
      if (!connection.isClosed) return connection
    }
    return undefined
  }

  /** A new connection, not yet connected. */
  connect(): UpstreamConnection {
    this.#connections++
    return new UpstreamConnection(this.address, {
      maxHeadBytes: this.#deps.limits.maxHeadBytes * 4,
      onClosed: (connection) => this.#closed(connection),
    })
  }

  /** Takes a connection back after a response: keeps it for another request, or ends it. */
  release(connection: UpstreamConnection): void {
    const isKept = connection.isReusable && !connection.isClosed && !connection.socket.errored && !this.isRetired
    if (!isKept || this.#idle.length >= this.#deps.limits.maxIdlePerInstance) return void connection.destroy()
    connection.idleSinceMs = this.#deps.nowMs()
    if (this.#idle.length === 0) this.#deps.withIdle.add(this)
    this.#idle.push(connection)
  }

  retire(): void {
    this.isRetired = true
    this.#endIdle(this.#idle.splice(0))
    this.#endWhenDrained()
  }

  /** Ends every connection that is kept for another request: none will come. */
  endIdle(): void {
    this.#deps.withIdle.delete(this)
    this.#endIdle(this.#idle.splice(0))
  }

  /** Ends connections that nobody would take any more. The oldest stand first. */
  sweep(): void {
    const now = this.#deps.nowMs()
    const isStale = (connection: UpstreamConnection) =>
      now - connection.idleSinceMs > trustedIdleMs(connection.idleHintMs, true)
    const stale = this.#idle.filter(isStale)
    if (stale.length === this.#idle.length) this.#deps.withIdle.delete(this)
    if (stale.length === 0) return
    const fresh = this.#idle.filter((connection) => !isStale(connection))
    this.#idle.splice(0, this.#idle.length, ...fresh)
    this.#endIdle(stale)
  }

  #endIdle(connections: readonly UpstreamConnection[]): void {
    for (const connection of connections) connection.destroy()
  }

  #closed(connection: UpstreamConnection): void {
    this.#connections--
    const at = this.#idle.indexOf(connection)
    if (at !== -1) this.#idle.splice(at, 1)
  }
}

/** How long a connection may have been idle to be used again. */
export function trustedIdleMs(hintMs: number | undefined, isSafe: boolean): number {
  if (hintMs !== undefined) return Math.min(hintMs - hintMarginMs, maxIdleMs)
  return isSafe ? idleMs : unsafeIdleMs
}
