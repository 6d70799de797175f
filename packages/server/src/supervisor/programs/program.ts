import { backoffMs } from '../../kernel/backoff.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { Logger } from '../../kernel/logger.ts'
import type { ProgramName, ProgramStatus } from '../protocol.ts'
import { endProcesses, waitUntilReady } from './end-and-ready.ts'
import type { ProgramProcess } from './program-process.ts'

export interface ProgramOptions {
  readonly name: ProgramName
  readonly start: () => Promise<ProgramProcess>
  /** Called when a process has ended: what it left is removed. */
  readonly cleanUp: (pid: number) => void
  /** Whether two processes may serve at once: the new one is then ready before the old one goes. */
  readonly overlap: boolean
  readonly readyTimeoutMs: number
  /** How long a process that was replaced may finish what is open. */
  readonly drainMs: number
  readonly clock: Clock
  readonly log: Logger
}

/** A process that served so long has recovered: the next failure is the first again. */
const recoveredMs = 10_000
const firstPauseMs = 100
const longestPauseMs = 10_000

/** A program that the supervisor keeps running: started again at once when it ends, then with growing pauses. */
export class Program {
  readonly name: ProgramName
  readonly #options: ProgramOptions
  /** All that have not ended: the current one, those that drain, one that is to replace it. */
  readonly #living = new Set<ProgramProcess>()
  #current: ProgramProcess | undefined
  #state: ProgramStatus['state'] = 'stopped'
  #failures = 0
  #restarts = 0
  #message: string | undefined
  #letGo = new AbortController()
  #turn: Promise<unknown> = Promise.resolve()

  constructor(options: ProgramOptions) {
    this.name = options.name
    this.#options = options
  }

  /** Rejects when the first process does not serve; the ones after it are tried for ever. */
  async start(): Promise<void> {
    this.#letGo = new AbortController()
    this.#state = 'starting'
    const first = await this.#begin()
    try {
      await waitUntilReady(first, this.#options)
    } catch (error) {
      this.#state = 'stopped'
      await endProcesses([first], 0, this.#options.clock)
      throw error
    }
    this.#serve(first)
    if (!this.#living.has(first)) this.#failed(first, 'ended when it had just started')
  }

  /** Keeps a process that an earlier supervisor started. */
  adopt(process: ProgramProcess): void {
    this.#watch(process)
    this.#serve(process)
  }

  /** Ends, in their own time, processes that an earlier supervisor was about to end. */
  endStray(process: ProgramProcess): void {
    this.#watch(process)
    void endProcesses([process], this.#options.drainMs, this.#options.clock)
  }

  /**
   * Puts a new process in the place of the old one. With overlap a new one that does not serve leaves the old one be and
   * rejects; without, it is tried again for ever, and the first failure rejects.
   */
  replace(): Promise<void> {
    const turn = this.#turn.then(() => this.#replace())
    this.#turn = turn.catch(() => undefined)
    return turn
  }

  /** SIGTERM, `graceMs`, SIGKILL, to every process of it, draining ones included. Resolves when all have ended. */
  async stop(graceMs: number): Promise<void> {
    this.release()
    await endProcesses([...this.#living], graceMs, this.#options.clock)
  }

  /** Lets go and leaves the process running, for the next supervisor. */
  release(): void {
    this.#letGo.abort()
    this.#current = undefined
    this.#state = 'stopped'
  }

  status(): ProgramStatus {
    const current = this.#current
    return {
      name: this.name,
      state: this.#state,
      restarts: this.#restarts,
      ...(current ? { pid: current.pid, startedAt: current.startedAt.toISOString() } : {}),
      ...(this.#message === undefined ? {} : { message: this.#message }),
    }
  }

  async #replace(): Promise<void> {
    const { overlap, clock, drainMs } = this.#options
    if (!overlap && this.#current) {
      const old = this.#current
      this.#current = undefined // its end is wanted, so it must bring no restart
      this.#state = 'starting'
      await endProcesses([old], drainMs, clock)
    }
    const next = await this.#begin()
    if (!overlap) this.#current = next
    try {
      await waitUntilReady(next, this.#options)
    } catch (error) {
      next.signal('SIGKILL') // where it is the current one, its end brings the next attempt
      throw error
    }
    const old = this.#current
    this.#serve(next)
    this.#failures = 0
    if (old && old !== next) void endProcesses([old], drainMs, clock)
  }

  async #begin(): Promise<ProgramProcess> {
    const process = await this.#options.start()
    this.#watch(process)
    this.#options.log.info({ program: this.name, pid: process.pid }, 'started')
    return process
  }

  #serve(process: ProgramProcess): void {
    this.#current = process
    this.#state = 'running'
  }

  #watch(process: ProgramProcess): void {
    const { clock, cleanUp, log } = this.#options
    const since = clock.monotonicMs()
    this.#living.add(process)
    void process.ended.then((end) => {
      this.#living.delete(process)
      cleanUp(process.pid)
      log.info({ program: this.name, pid: process.pid, end }, 'ended')
      if (clock.monotonicMs() - since > recoveredMs) this.#failures = 0
      this.#failed(process, end)
    })
  }

  #failed(process: ProgramProcess, end: string): void {
    if (process !== this.#current || this.#letGo.signal.aborted) return
    this.#current = undefined
    this.#message = end
    this.#restarts += 1
    void this.#startAgain()
  }

  async #startAgain(): Promise<void> {
    const { clock, log } = this.#options
    this.#state = 'waiting'
    this.#failures += 1
    const pauseMs = backoffMs(this.#failures - 1, firstPauseMs, longestPauseMs)
    await clock.wait(pauseMs, this.#letGo.signal).catch(() => undefined)
    if (this.#current || this.#letGo.signal.aborted) return // replaced or stopped meanwhile
    this.#state = 'starting'
    let next: ProgramProcess | undefined
    try {
      next = await this.#begin()
      this.#current = next
      await waitUntilReady(next, this.#options)
      if (this.#current === next) this.#state = 'running'
    } catch (error) {
      this.#message = String(error)
      log.warn({ program: this.name, cause: String(error) }, 'does not serve')
      if (next === undefined) return await this.#startAgain()
      next.signal('SIGKILL') // its end brings the next attempt
    }
  }
}
