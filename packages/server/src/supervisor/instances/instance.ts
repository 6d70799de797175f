import type { Clock } from '../../kernel/clock.ts'
import { messageOf } from '../../kernel/errors.ts'
import type { Logger } from '../../kernel/logger.ts'
import type { SpawnArgv } from '../../kernel/spawn-argv.ts'
import type { Output } from '../output/output.ts'
import type { EndedBy, ExitRecord, Status, WireListener } from '../protocol.ts'
import type { Cgroups } from './cgroups.ts'
import { type Fifos, type FollowedOutput, followOutput } from './fifos.ts'
import { listenersOf } from './listeners.ts'
import { type Identity, isAlive, type Process, type ProcessTable, processesOf } from './processes.ts'
import type { InstanceRecord, ProcessRecord, Records } from './records.ts'
import { type TaskWatch, watchTask } from './watch-task.ts'

export interface InstanceDeps {
  readonly clock: Clock
  readonly log: Logger
  readonly start: SpawnArgv
  readonly output: Output
  readonly records: Records
  readonly fifos: Fifos
  readonly table: ProcessTable
  readonly cgroups: Cgroups | undefined
  /** Whether each app has a uid of its own. */
  readonly ownUids: boolean
  changed(id: string): void
  /** What hides under the instance's uid and belongs to no other instance. */
  strays(identity: Identity): Process[]
}

/** How the main process ended; undefined when nobody was there to see it. */
export type MainEnd = { readonly code: number | null; readonly signal: string | null } | undefined

/** What a running instance is followed by. */
export interface Following {
  readonly process: ProcessRecord
  /** Resolves when the main process has ended. */
  readonly mainEnd: Promise<MainEnd>
  /** Undefined: its pipe is gone. */
  readonly readEnd: number | undefined
}

/** How long what was written may take to be read after the last process has ended. */
const readRestMs = 2000
const limitGraceMs = 2000

/** One instance or task, from its intent to its recorded end. */
export class Instance {
  record: InstanceRecord
  /** Resolves when its end is recorded and visible. */
  readonly ended: Promise<void>
  readonly #deps: InstanceDeps
  readonly #markEnded: () => void
  #wanted: EndedBy | undefined
  #mainIsOver = false
  #graceUntilMs = 0
  #output: FollowedOutput | undefined
  #watch: TaskWatch | undefined

  constructor(record: InstanceRecord, deps: InstanceDeps) {
    this.record = record
    this.#deps = deps
    const { promise, resolve } = Promise.withResolvers<void>()
    this.ended = promise
    this.#markEnded = resolve
    if (record.exit) resolve()
  }

  get status(): Status {
    const { id, kind, labels, process, exit } = this.record
    const state = exit ? 'ended' : process ? 'running' : 'starting'
    return {
      id,
      kind,
      state,
      labels,
      ...(process && { pid: process.pid, startedAt: process.startedAt }),
      ...(exit && { exit }),
    }
  }

  get identity(): Identity {
    const { id, process, runAs } = this.record
    const uid = this.#deps.ownUids ? runAs.uid : undefined
    return { id, pid: process?.pid, startTicks: process?.startTicks, uid, pipe: this.#deps.fifos.pathOf(id) }
  }

  /** From now on its output is kept, its limits hold, and its end is recorded. */
  follow({ process, mainEnd, readEnd }: Following): void {
    this.record = { ...this.record, process }
    if (this.record.task) {
      this.#watch = watchTask(this.record.task, process.startedAt, {
        start: this.#deps.start,
        clock: this.#deps.clock,
        exceeded: (reason) => void this.#end(reason, reason === 'timeout' ? limitGraceMs : 0),
      })
    }
    if (readEnd !== undefined) {
      this.#output = followOutput(readEnd, (lines, bytes) => {
        this.#deps.output.write(this.record.output, lines)
        this.#watch?.wrote(bytes)
      })
    }
    this.#deps.changed(this.record.id)
    void mainEnd.then((end) => this.#conclude(end))
  }

  /** SIGTERM to all of it, SIGKILL after the grace. Resolves when no process is left and the end is recorded. */
  async stop(graceMs: number): Promise<void> {
    await this.#end('stopped', graceMs)
    await this.ended
  }

  /** Records an end that needs nothing more: it never started, or is long over. */
  async finish(reason: EndedBy, message: string): Promise<void> {
    await this.#record({ reason, code: null, signal: null, endedAt: this.#now(), message })
  }

  /** Its living processes. */
  processes(): Process[] {
    const members = this.#deps.cgroups?.members(this.record.id) ?? new Set<number>()
    return processesOf(this.identity, this.#deps.table, members)
  }

  listeners(): WireListener[] {
    return this.record.exit || !this.record.process ? [] : listenersOf(this.processes().map(({ pid }) => pid))
  }

  /** Leaves it running for the next supervisor. */
  detach(): void {
    this.#watch?.close()
    this.#output?.close()
  }

  /** SIGKILL until no process is left. */
  async killAll(): Promise<void> {
    const { clock, table, log } = this.#deps
    for (let round = 1; ; round++) {
      const left = this.processes()
      if (left.length === 0) left.push(...this.#deps.strays(this.identity))
      if (left.length === 0) return
      for (const process of left) signal(process, 'SIGKILL', table)
      if (round === 100) log.warn({ id: this.record.id, pids: left.map(({ pid }) => pid) }, 'processes do not end')
      await clock.wait(Math.min(round, 250))
    }
  }

  async #end(reason: EndedBy, graceMs: number): Promise<void> {
    if (this.record.exit || !this.record.process) return
    if (!this.#mainIsOver) this.#wanted ??= reason
    const { clock, table } = this.#deps
    const until = clock.monotonicMs() + graceMs
    if (this.#graceUntilMs === 0 && graceMs > 0)
      for (const process of this.processes()) signal(process, 'SIGTERM', table)
    this.#graceUntilMs = this.#graceUntilMs === 0 ? until : Math.min(this.#graceUntilMs, until)
    await Promise.race([this.ended, clock.wait(graceMs)])
    if (!this.record.exit) await this.killAll()
  }

  /** A line of several commands ends with its shell at SIGTERM, while what it started still uses its grace. */
  async #waitForRest(): Promise<void> {
    const { clock } = this.#deps
    for (let pause = 5; clock.monotonicMs() < this.#graceUntilMs; pause = Math.min(pause * 2, 100)) {
      if (this.processes().length === 0) return
      await clock.wait(pause)
    }
  }

  async #conclude(end: MainEnd): Promise<void> {
    this.#mainIsOver = true
    await this.#waitForRest()
    await this.killAll()
    this.#watch?.close()
    const read = new AbortController()
    const patience = this.#deps.clock.wait(readRestMs, read.signal).catch(() => undefined)
    await Promise.race([this.#output?.finished, patience])
    read.abort()
    this.#output?.close()
    await this.#output?.finished
    const outOfMemory = this.#deps.cgroups?.ranOutOfMemory(this.record.id) ?? false
    await this.#record(exitOf(end, this.#wanted, outOfMemory, this.#now()))
  }

  async #record(exit: ExitRecord): Promise<void> {
    const ended = { ...this.record, exit }
    try {
      await this.#deps.records.writeEnded(ended)
    } catch (error) {
      // The disk is full, say. It is still the truth; only after a restart would it be `lost`.
      this.#deps.log.error({ id: ended.id, cause: messageOf(error) }, 'an end could not be recorded')
    }
    this.record = ended
    this.#deps.cgroups?.remove(ended.id)
    this.#deps.fifos.remove(ended.id)
    this.#markEnded()
    this.#deps.changed(ended.id)
  }

  #now(): string {
    return this.#deps.clock.now().toISOString()
  }
}

/** Pure: what the end of the main process means. */
function exitOf(end: MainEnd, wanted: EndedBy | undefined, outOfMemory: boolean, endedAt: string): ExitRecord {
  const { code, signal } = end ?? { code: null, signal: null }
  if (wanted !== undefined) return { reason: wanted, code, signal, endedAt }
  if (!end) return { reason: 'lost', code, signal, endedAt, message: 'it ended while no supervisor was its parent' }
  if (outOfMemory && code !== 0) return { reason: 'memory', code, signal, endedAt }
  return { reason: signal === null ? 'exit' : 'signal', code, signal, endedAt }
}

function signal(process: Process, name: NodeJS.Signals, table: ProcessTable): void {
  if (!isAlive(process.pid, process.startTicks, table)) return
  try {
    globalThis.process.kill(process.pid, name)
  } catch {
    // It ended in between.
  }
}
