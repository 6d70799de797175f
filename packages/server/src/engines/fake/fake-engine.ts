import type { Clock } from '../../kernel/clock.ts'
import {
  type Address,
  type Engine,
  EngineUnavailable,
  type ExitStatus,
  type Fence,
  Fenced,
  type InstanceSpec,
  type Listener,
  type Observed,
  SpecRejected,
  type TaskSpec,
} from '../engine.ts'
import { hintStream } from '../hint-stream.ts'
import { behaviourOf } from './fake-behaviour.ts'

/** What goes wrong, or takes time, from now on. Change them at any moment. */
export interface FakeLevers {
  /** Every call fails with `EngineUnavailable`; what runs goes on. */
  outage: boolean
  /** Changes happen and nobody is told. */
  loseHints: boolean
  /** How long `start` takes. */
  startDelayMs: number
  /** Starting ends with `start_failed` and this sentence. */
  startFailure: string | undefined
  /** Starting is refused with `SpecRejected` and this sentence. */
  specRejection: string | undefined
  /** How long after its start an instance listens on its address; undefined: never. */
  listensAfterMs: number | undefined
  /** What starts ends by itself with this code after this long; undefined: as its command says. */
  exit: { readonly code: number; readonly afterMs: number } | undefined
  /** SIGTERM is ignored: `stop` takes its whole grace. */
  ignoreTerm: boolean
  /** `stop` does not return while this holds. */
  hangOnStop: boolean
}

/** An engine in memory, for tests of everything above the port. */
export interface FakeEngine extends Engine {
  readonly levers: FakeLevers
  /** Ends it as if by itself. */
  crash(id: string, end?: { readonly code?: number; readonly signal?: string }): void
  /** As when the connection to it has been lost and made again: anything may have changed. */
  reconnect(): void
  /** Forgets that it ever was, as a machine does that is reinstalled. */
  lose(id: string): void
  /** What was written to a stream. */
  lines(stream: string): readonly string[]
  /** Everything that was ever started and not forgotten. */
  specOf(id: string): InstanceSpec | TaskSpec | undefined
}

interface Entry {
  readonly kind: 'instance' | 'task'
  readonly spec: InstanceSpec | TaskSpec
  readonly ended: PromiseWithResolvers<ExitStatus>
  readonly timers: AbortController
  state: 'starting' | 'running'
  startedAtMs: number
  startedAt: string | undefined
  exit: ExitStatus | undefined
  readonly started: PromiseWithResolvers<void>
}

export function createFakeEngine(clock: Clock): FakeEngine {
  return new Fake(clock)
}

class Fake implements FakeEngine {
  readonly name = 'fake'
  readonly capabilities = { accepts: ['slug', 'image'], assignsPorts: true, volumes: true, multiHost: false } as const
  readonly levers: FakeLevers = {
    outage: false,
    loseHints: false,
    startDelayMs: 0,
    startFailure: undefined,
    specRejection: undefined,
    listensAfterMs: 0,
    exit: undefined,
    ignoreTerm: false,
    hangOnStop: false,
  }
  readonly #clock: Clock
  readonly #entries = new Map<string, Entry>()
  readonly #fences = new Map<string, number>()
  readonly #lines = new Map<string, string[]>()
  readonly #hintListeners = new Set<(id: string | undefined) => void>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  async check(): Promise<Awaited<ReturnType<Engine['check']>>> {
    const message = this.levers.outage ? 'the fake engine has an outage' : undefined
    const isolation = 'In memory: nothing runs.'
    return { ok: !message, isolationLevel: 0, isolation, missing: [], ...(message !== undefined && { message }) }
  }

  async observe(scope: 'all' | readonly string[], signal: AbortSignal): Promise<readonly Observed[]> {
    this.#enter(signal)
    const ids = scope === 'all' ? [...this.#entries.keys()] : scope
    return ids.flatMap((id) => {
      const entry = this.#entries.get(id)
      return entry ? [observed(id, entry)] : []
    })
  }

  start(spec: InstanceSpec, fence: Fence, signal: AbortSignal): Promise<void> {
    return this.#start('instance', spec, fence, signal)
  }

  startTask(spec: TaskSpec, fence: Fence, signal: AbortSignal): Promise<void> {
    return this.#start('task', spec, fence, signal)
  }

  async waitForTask(id: string, signal: AbortSignal): Promise<ExitStatus> {
    this.#enter(signal)
    const entry = this.#entries.get(id)
    if (!entry) return this.#exit({ reason: 'lost' })
    return await untilAborted(entry.ended.promise, signal)
  }

  async stop(id: string, { graceMs }: { graceMs: number }, fence: Fence, signal: AbortSignal): Promise<void> {
    this.#enter(signal, fence)
    const entry = this.#entries.get(id)
    if (!entry || entry.exit) return
    await untilAborted(entry.started.promise, signal)
    while (this.levers.hangOnStop) await this.#clock.wait(5, signal)
    if (this.levers.ignoreTerm) await this.#clock.wait(graceMs, signal)
    this.#end(id, entry, { reason: 'stopped', signal: this.levers.ignoreTerm ? 'SIGKILL' : 'SIGTERM' })
  }

  async forget(id: string, fence: Fence, signal: AbortSignal): Promise<void> {
    this.#enter(signal, fence)
    const entry = this.#entries.get(id)
    if (!entry) return
    if (!entry.exit) throw new Error(`${id} has not ended`)
    this.#entries.delete(id)
  }

  async listeners(id: string, signal: AbortSignal): Promise<readonly Listener[]> {
    this.#enter(signal)
    const entry = this.#entries.get(id)
    const after = this.levers.listensAfterMs
    if (!entry || entry.exit || entry.state === 'starting' || after === undefined) return []
    if (this.#clock.monotonicMs() - entry.startedAtMs < after) return []
    const address: Address | undefined = 'address' in entry.spec ? entry.spec.address : undefined
    return address?.kind === 'tcp' ? [{ host: address.host, port: address.port }] : []
  }

  hints(signal: AbortSignal): AsyncIterable<string | undefined> {
    const subscribe = (listener: (id: string | undefined) => void): (() => void) => {
      this.#hintListeners.add(listener)
      return () => this.#hintListeners.delete(listener)
    }
    return hintStream(subscribe, signal)
  }

  reconnect(): void {
    for (const listener of this.#hintListeners) listener(undefined)
  }

  crash(id: string, end: { readonly code?: number; readonly signal?: string } = { code: 1 }): void {
    const entry = this.#entries.get(id)
    if (!entry || entry.exit) return
    const { code = null, signal = null } = end
    this.#end(id, entry, { reason: signal === null ? 'exit' : 'signal', code, signal })
  }

  lose(id: string): void {
    const entry = this.#entries.get(id)
    if (entry) this.#end(id, entry, { reason: 'lost' })
    this.#entries.delete(id)
  }

  lines(stream: string): readonly string[] {
    return this.#lines.get(stream) ?? []
  }

  specOf(id: string): InstanceSpec | TaskSpec | undefined {
    return this.#entries.get(id)?.spec
  }

  #enter(signal: AbortSignal, fence?: Fence): void {
    signal.throwIfAborted()
    if (this.levers.outage) throw new EngineUnavailable('the fake engine has an outage')
    if (!fence) return
    const highest = this.#fences.get(fence.scope) ?? -1
    if (fence.number < highest) throw new Fenced(`${fence.scope}: ${fence.number} is older than ${highest}`)
    this.#fences.set(fence.scope, fence.number)
  }

  async #start(
    kind: 'instance' | 'task',
    spec: InstanceSpec | TaskSpec,
    fence: Fence,
    signal: AbortSignal,
  ): Promise<void> {
    this.#enter(signal, fence)
    if (this.levers.specRejection !== undefined) throw new SpecRejected(this.levers.specRejection)
    const known = this.#entries.get(spec.id)
    if (known) return await untilAborted(known.started.promise, signal)
    const entry: Entry = {
      kind,
      spec,
      state: 'starting',
      ended: Promise.withResolvers(),
      started: Promise.withResolvers(),
      timers: new AbortController(),
      startedAtMs: 0,
      startedAt: undefined,
      exit: undefined,
    }
    this.#entries.set(spec.id, entry)
    void this.#run(entry)
    await untilAborted(entry.started.promise, signal)
  }

  async #run(entry: Entry): Promise<void> {
    const { spec } = entry
    const behaviour = behaviourOf(spec.command)
    if (this.levers.startDelayMs > 0) await this.#clock.wait(this.levers.startDelayMs)
    const failure = this.levers.startFailure ?? behaviour.startFailure
    if (failure !== undefined) {
      this.#end(spec.id, entry, { reason: 'start_failed', message: failure })
      return entry.started.resolve()
    }
    entry.state = 'running'
    entry.startedAtMs = this.#clock.monotonicMs()
    entry.startedAt = this.#clock.now().toISOString()
    this.#lines.set(spec.output.stream, [...this.lines(spec.output.stream), ...(behaviour.print ?? [])])
    entry.started.resolve()
    this.#hint(spec.id)
    const exit = this.levers.exit ?? behaviour.exit
    if (exit) this.#later(exit.afterMs, entry, { reason: 'exit', code: exit.code })
    if ('timeoutMs' in spec) this.#later(spec.timeoutMs, entry, { reason: 'timeout', signal: 'SIGTERM' })
  }

  #later(afterMs: number, entry: Entry, end: Partial<ExitStatus> & Pick<ExitStatus, 'reason'>): void {
    this.#clock.wait(afterMs, entry.timers.signal).then(
      () => this.#end(entry.spec.id, entry, end),
      () => undefined, // it ended in another way before
    )
  }

  #end(id: string, entry: Entry, end: Partial<ExitStatus> & Pick<ExitStatus, 'reason'>): void {
    if (entry.exit) return
    entry.exit = this.#exit(end)
    entry.timers.abort()
    entry.started.resolve()
    entry.ended.resolve(entry.exit)
    this.#hint(id)
  }

  #exit(end: Partial<ExitStatus> & Pick<ExitStatus, 'reason'>): ExitStatus {
    return { code: null, signal: null, endedAt: this.#clock.now().toISOString(), ...end }
  }

  #hint(id: string): void {
    if (this.levers.loseHints) return
    for (const listener of this.#hintListeners) listener(id)
  }
}

function observed(id: string, { kind, spec, state, startedAt, exit }: Entry): Observed {
  const shown = exit ? 'ended' : state
  return {
    id,
    kind,
    state: shown,
    labels: spec.labels,
    ...(startedAt !== undefined && { startedAt }),
    ...(exit && { exit }),
  }
}

async function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted()
  const aborted = Promise.withResolvers<never>()
  const abort = (): void => aborted.reject(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  try {
    return await Promise.race([promise, aborted.promise])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}
