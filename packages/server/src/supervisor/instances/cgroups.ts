import { mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isSystemError } from '../../kernel/errors.ts'
import type { SpawnLimits } from '../protocol.ts'

/**
 * Control groups, where the supervisor may make them (as root, or delegated by systemd): one per instance, for membership
 * and for limits on memory and processes. Best effort: nothing relies on them.
 */
export interface Cgroups {
  readonly version: 'v1' | 'v2'
  create(id: string, limits: SpawnLimits): void
  /** Moves a running process; its children are born there. Takes milliseconds of waiting in the kernel. */
  add(id: string, pid: number): Promise<void>
  members(id: string): ReadonlySet<number>
  /** Whether the kernel ended a process of the group for lack of memory. */
  ranOutOfMemory(id: string): boolean
  /** After its last process. */
  remove(id: string): void
  /** Removes the groups that hold no process, and the folder of all when it is empty. */
  clean(): void
}

/** The folders, one per hierarchy, below which a group's folder is made. */
interface Place {
  readonly version: 'v1' | 'v2'
  readonly memory: string
  readonly pids: string
}

/** Where a v2 supervisor puts itself; one that it starts in its place is born there. */
const leafName = 'gantry-supervisor'

/** Finds out once what is possible here; undefined: nothing. `name` tells this installation's groups from another's. */
export function openCgroups(name: string): Cgroups | undefined {
  try {
    const membership = readFileSync('/proc/self/cgroup', 'utf8').replaceAll(new RegExp(`/${leafName}$`, 'gm'), '')
    const place = findPlace(readFileSync('/proc/self/mountinfo', 'utf8'), membership)
    if (!place) return undefined
    const own = { ...place, memory: join(place.memory, name), pids: join(place.pids, name) }
    for (const folder of new Set([own.memory, own.pids])) mkdirSync(folder, { recursive: true })
    if (own.version === 'v2') enableControllers(place.memory, own.memory)
    return createCgroups(own)
  } catch {
    return undefined // not ours to write: not root, or a read-only mount
  }
}

/** Pure: from mountinfo and the own membership to the own group's folder in the memory and pids hierarchies. */
export function findPlace(mountinfo: string, membership: string): Place | undefined {
  const mounts = mountinfo.split('\n').flatMap((line) => {
    const [before = '', after = ''] = line.split(' - ')
    const [type = '', , options = ''] = after.split(' ')
    const [, , , root = '/', point] = before.split(' ')
    return point === undefined ? [] : [{ type, root, point, controllers: options.split(',') }]
  })
  const groupOf = (controller: string): string | undefined =>
    membership
      .split('\n')
      .map((line) => /^\d+:([^:]*):(.*)$/.exec(line))
      .find((match) => (controller === '' ? match?.[1] === '' : match?.[1]?.split(',').includes(controller)))?.[2]
  const folderOf = (mount: { root: string; point: string } | undefined, group: string | undefined) =>
    mount && group !== undefined
      ? join(mount.point, group.startsWith(mount.root) ? group.slice(mount.root.length) : group)
      : undefined
  const v1 = (controller: string) =>
    folderOf(
      mounts.find(({ type, controllers }) => type === 'cgroup' && controllers.includes(controller)),
      groupOf(controller),
    )
  const [memory, pids] = [v1('memory'), v1('pids')]
  if (memory !== undefined && pids !== undefined) return { version: 'v1', memory, pids }
  const unified = folderOf(
    mounts.find(({ type }) => type === 'cgroup2'),
    groupOf(''),
  )
  return unified === undefined ? undefined : { version: 'v2', memory: unified, pids: unified }
}

/** A v2 group that has controllers for its children may hold no process itself: those of the parent go to a leaf. */
function enableControllers(parent: string, own: string): void {
  try {
    const leaf = join(parent, leafName)
    mkdirSync(leaf, { recursive: true })
    for (const pid of readFileSync(join(parent, 'cgroup.procs'), 'utf8').split('\n')) {
      if (pid !== '') writeFileSync(join(leaf, 'cgroup.procs'), pid)
    }
    for (const folder of [parent, own]) writeFileSync(join(folder, 'cgroup.subtree_control'), '+memory +pids')
  } catch {
    // Without controllers a group still says what belongs to it.
  }
}

function createCgroups(place: Place): Cgroups {
  const folders = (id: string): Set<string> => new Set([join(place.memory, id), join(place.pids, id)])
  const memoryFile = place.version === 'v1' ? 'memory.limit_in_bytes' : 'memory.max'
  return {
    version: place.version,
    create(id, limits) {
      for (const folder of folders(id)) ignoreErrors(() => mkdirSync(folder))
      if (limits.memoryBytes !== undefined) tryWrite(join(place.memory, id, memoryFile), limits.memoryBytes)
      if (limits.processes !== undefined) tryWrite(join(place.pids, id, 'pids.max'), limits.processes)
    },
    async add(id, pid) {
      for (const folder of folders(id)) {
        await writeFile(join(folder, 'cgroup.procs'), String(pid)).catch(() => undefined) // it has ended, or no group could be made
      }
    },
    members: (id) => new Set(membersBelow(join(place.memory, id))),
    ranOutOfMemory(id) {
      const file = place.version === 'v1' ? 'memory.oom_control' : 'memory.events'
      return /^oom_kill [1-9]/m.test(readOrEmpty(join(place.memory, id, file)))
    },
    remove(id) {
      for (const folder of folders(id)) ignoreErrors(() => rmdirSync(folder))
    },
    clean() {
      for (const folder of new Set([place.memory, place.pids])) {
        for (const inner of foldersIn(folder)) ignoreErrors(() => rmdirSync(join(folder, inner)))
        ignoreErrors(() => rmdirSync(folder))
      }
    },
  }
}

function membersBelow(folder: string): number[] {
  const own = readOrEmpty(join(folder, 'cgroup.procs')).split('\n').filter(Boolean).map(Number)
  return [...own, ...foldersIn(folder).flatMap((inner) => membersBelow(join(folder, inner)))]
}

function foldersIn(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? entry.name : []))
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return []
    throw error
  }
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return '' // the group does not exist
  }
}

function tryWrite(path: string, value: number): void {
  ignoreErrors(() => writeFileSync(path, String(value)))
}

function ignoreErrors(action: () => void): void {
  try {
    action()
  } catch {
    // Best effort, see above.
  }
}
