import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../../kernel/clock.ts'
import { messageOf } from '../../kernel/errors.ts'
import type { Logger } from '../../kernel/logger.ts'
import type { SpawnArgv } from '../../kernel/spawn-argv.ts'
import type { Files } from '../files/files.ts'
import type { Owner } from '../files/tree.ts'
import type { Output } from '../output/output.ts'
import { type Hello, Refusal, type SpawnSpec, type Status, type WireFence, type WireListener } from '../protocol.ts'
import { adopt, noteRunning } from './adopt.ts'
import { openCgroups } from './cgroups.ts'
import { checkSpec } from './check-spec.ts'
import type { LaunchTools } from './command.ts'
import { openFences } from './fences.ts'
import { openFifos } from './fifos.ts'
import { Instance, type InstanceDeps, type MainEnd } from './instance.ts'
import { launch } from './launch.ts'
import { processTable, readBootId, straysOf } from './processes.ts'
import { type InstanceRecord, openRecords } from './records.ts'
import { findLaunchTools } from './tools.ts'
import { makeWorkspace } from './workspace.ts'

/** Everything that runs on the `local` engine. Verbs' promises: `protocol.ts`. */
export interface Instances {
  start(spec: SpawnSpec, fence: WireFence): Promise<void>
  stop(id: string, graceMs: number, fence: WireFence): Promise<void>
  forget(id: string, fence: WireFence): Promise<void>
  observe(ids: readonly string[] | undefined): Status[]
  listeners(id: string): WireListener[]
  /** Calls back with the id of whatever changed. Returns how to end that. */
  onChange(listener: (id: string) => void): () => void
  /** Stops everything at once, each with this grace; nothing starts any more. */
  stopAll(graceMs: number): Promise<void>
  /** Lets go of everything and leaves it running, for the next supervisor. */
  detach(): void
  /** What this machine can enforce. */
  readonly enforced: Pick<Hello, 'prlimit' | 'setpriv' | 'cgroup'>
}

export interface InstancesDeps {
  readonly home: string
  /** Whether the supervisor is root and every app has a uid of its own; with the lowest that may be asked for. */
  readonly ownUids: { readonly lowest: number } | undefined
  readonly clock: Clock
  readonly log: Logger
  readonly start: SpawnArgv
  readonly output: Output
  readonly files: Files
}

/** Opens the state of an earlier supervisor, takes over what still runs, and records the end of what does not. */
export async function createInstances(deps: InstancesDeps): Promise<Instances> {
  const state = join(deps.home, 'state')
  for (const folder of [join(state, 'instances'), join(state, 'fifos')])
    mkdirSync(folder, { recursive: true, mode: 0o700 })
  mkdirSync(join(deps.home, 'run/instances'), { recursive: true, mode: 0o711 })
  const cgroups = openCgroups(`gantry-${createHash('sha256').update(deps.home).digest('hex').slice(0, 12)}`)
  const set = new InstanceSet(deps, {
    cgroups,
    tools: findLaunchTools({ ownUids: deps.ownUids !== undefined, cgroup: cgroups?.version ?? 'none' }),
    records: openRecords(join(state, 'instances'), deps.log),
    fifos: await openFifos(join(state, 'fifos'), deps.start),
    fences: openFences(join(state, 'fences'), { now: deps.clock.now, log: deps.log }),
  })
  await set.load()
  return set
}

interface Parts extends Pick<InstanceDeps, 'records' | 'fifos' | 'cgroups'> {
  readonly fences: ReturnType<typeof openFences>
  readonly tools: LaunchTools
}

class InstanceSet implements Instances {
  readonly #deps: InstancesDeps
  readonly #parts: Parts
  readonly #each: InstanceDeps
  readonly #instances = new Map<string, Instance>()
  readonly #starting = new Map<string, Promise<void>>()
  readonly #listeners = new Set<(id: string) => void>()
  readonly #bootId = readBootId()
  readonly #ownCgroup = readFileSync('/proc/self/cgroup', 'utf8')
  #stopping = false

  constructor(deps: InstancesDeps, parts: Parts) {
    this.#deps = deps
    this.#parts = parts
    this.#each = {
      ...deps,
      ...parts,
      table: processTable,
      ownUids: deps.ownUids !== undefined,
      changed: (id) => {
        for (const listener of this.#listeners) listener(id)
      },
      strays: ({ id, uid }) => (uid === undefined ? [] : this.#strays(id, uid)),
    }
  }

  get enforced(): Instances['enforced'] {
    const { prlimit, setpriv } = this.#parts.tools
    return {
      prlimit: prlimit !== undefined,
      setpriv: setpriv !== undefined,
      cgroup: this.#parts.cgroups?.version ?? 'none',
    }
  }

  async load(): Promise<void> {
    const records = this.#parts.records.readAll()
    for (const record of records) this.#instances.set(record.id, new Instance(record, this.#each))
    await this.#removeUnknown()
    await Promise.all([...this.#instances.values()].map((instance) => adopt(instance, this.#bootId, this.#each)))
  }

  async start(spec: SpawnSpec, fence: WireFence): Promise<void> {
    if (this.#stopping) throw new Refusal('Stopping', 'the supervisor is going down')
    checkSpec(spec, this.#deps.ownUids?.lowest)
    this.#parts.fences.check(fence)
    if (!this.#instances.has(spec.id)) {
      const started = this.#begin(spec)
      this.#starting.set(spec.id, started)
      void started.catch(() => undefined).finally(() => this.#starting.delete(spec.id))
    }
    await this.#starting.get(spec.id)
  }

  async stop(id: string, graceMs: number, fence: WireFence): Promise<void> {
    this.#parts.fences.check(fence)
    await this.#starting.get(id)?.catch(() => undefined)
    await this.#instances.get(id)?.stop(graceMs)
  }

  async forget(id: string, fence: WireFence): Promise<void> {
    this.#parts.fences.check(fence)
    const instance = this.#instances.get(id)
    if (!instance) return
    if (!instance.record.exit) throw new Refusal('NotEnded', `${id} has not ended`)
    await this.#drop(id)
  }

  observe(ids: readonly string[] | undefined): Status[] {
    if (!ids) return [...this.#instances.values()].map((instance) => instance.status)
    return ids.flatMap((id) => this.#instances.get(id)?.status ?? [])
  }

  listeners(id: string): WireListener[] {
    return this.#instances.get(id)?.listeners() ?? []
  }

  onChange(listener: (id: string) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  async stopAll(graceMs: number): Promise<void> {
    this.#stopping = true
    await Promise.allSettled(this.#starting.values())
    await Promise.all([...this.#instances.values()].map((instance) => instance.record.exit ?? instance.stop(graceMs)))
    this.#parts.cgroups?.clean()
  }

  detach(): void {
    this.#stopping = true
    for (const instance of this.#instances.values()) instance.detach()
  }

  /** The intent is on disk before the process can be; whatever fails after it is a recorded end. */
  async #begin(spec: SpawnSpec): Promise<void> {
    const { id, kind, labels, output, runAs, place, task } = spec
    const record: InstanceRecord = {
      id,
      kind,
      labels,
      output,
      runAs,
      place,
      ...(task && { task }),
      bootId: this.#bootId,
    }
    const instance = new Instance(record, this.#each)
    this.#instances.set(id, instance)
    try {
      this.#parts.records.writeRunning(record)
      await this.#launch(spec, instance)
    } catch (error) {
      if (!(error instanceof Refusal)) return await instance.finish('start_failed', messageOf(error))
      await this.#drop(id)
      throw error
    }
  }

  async #launch(spec: SpawnSpec, instance: Instance): Promise<void> {
    const { clock } = this.#deps
    const owner: Owner | undefined = this.#deps.ownUids && spec.runAs
    const workspace = await makeWorkspace(this.#deps, spec.id, spec.place, owner)
    this.#parts.cgroups?.create(spec.id, spec.limits)
    const { child, pid, startTicks, readEnd } = await launch(
      { ...this.#each, tools: this.#parts.tools },
      spec,
      workspace,
      owner,
    )
    const mainEnd = new Promise<MainEnd>((resolve) => child.once('exit', (code, signal) => resolve({ code, signal })))
    const process = { pid, startTicks, startedAt: clock.now().toISOString() }
    instance.follow({ process, mainEnd, readEnd })
    noteRunning(instance, this.#each)
    void this.#joinCgroup(instance, pid)
  }

  /** Moving takes the kernel some milliseconds, in which it may have had children: they follow. */
  async #joinCgroup(instance: Instance, pid: number): Promise<void> {
    const { cgroups } = this.#parts
    if (!cgroups) return
    const { id } = instance.record
    await cgroups.add(id, pid)
    const inside = cgroups.members(id)
    for (const process of instance.processes()) {
      if (!inside.has(process.pid)) await cgroups.add(id, process.pid)
    }
  }

  /** Folder first: a record without a folder is removed by the next call, a folder without a record at the next start. */
  async #drop(id: string): Promise<void> {
    await this.#deps.files.remove(join(this.#deps.home, 'run/instances', id))
    this.#parts.fifos.remove(id)
    this.#parts.cgroups?.remove(id)
    this.#parts.records.remove(id)
    this.#instances.delete(id)
    this.#each.changed(id)
  }

  async #removeUnknown(): Promise<void> {
    const unknown = (folder: string): string[] =>
      readdirSync(join(this.#deps.home, folder)).filter((name) => !name.startsWith('.') && !this.#instances.has(name))
    for (const name of unknown('run/instances'))
      await this.#deps.files.remove(join(this.#deps.home, 'run/instances', name))
    for (const name of unknown('state/fifos')) this.#parts.fifos.remove(name)
  }

  #strays(id: string, uid: number): ReturnType<typeof straysOf> {
    const others = [...this.#instances.values()].filter(
      ({ record }) => record.id !== id && record.runAs.uid === uid && !record.exit,
    )
    // One that is being started has processes that nobody can name yet.
    if (others.some(({ record }) => !record.process)) return []
    const identities = others.map((instance) => instance.identity)
    return straysOf(uid, identities, processTable, (pid) => {
      try {
        return readFileSync(`/proc/${pid}/cgroup`, 'utf8') === this.#ownCgroup
      } catch {
        return false // ended meanwhile
      }
    })
  }
}
