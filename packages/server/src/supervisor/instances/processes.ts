import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** Environment variable by which a process says which instance or task it belongs to. */
export const idVariable = 'GANTRY_INSTANCE_ID'

/** A line of /proc: proc_pid_stat(5). */
export interface Process {
  readonly pid: number
  readonly parent: number
  readonly group: number
  readonly session: number
  /** Ended, and only waits for its parent to ask. */
  readonly zombie: boolean
  /** Clock ticks after boot at which it started; with the pid it names a process for good. */
  readonly startTicks: number
}

/** What is remembered of an instance to find its processes by. */
export interface Identity {
  readonly id: string
  readonly pid: number | undefined
  readonly startTicks: number | undefined
  /** The uid of its own that it runs under; undefined where everything has one uid. */
  readonly uid: number | undefined
  /** Path of the pipe that it writes to. */
  readonly pipe: string
}

/** Reads /proc. Whatever disappears while it is read is not there. */
export interface ProcessTable {
  all(): Process[]
  one(pid: number): Process | undefined
  /** The id in the environment it was started with. */
  idOf(pid: number): string | undefined
  uidOf(pid: number): number | undefined
  /** What its standard output and standard error are. */
  outputsOf(pid: number): string[]
}

export const processTable: ProcessTable = {
  all: () => readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? (readProcess(Number(name)) ?? []) : [])),
  one: readProcess,
  idOf(pid) {
    const environ = readProc(pid, 'environ')
    const match = environ && new RegExp(`(?:^|\\0)${idVariable}=([^\\0]*)`).exec(environ)
    return match ? match[1] : undefined
  },
  uidOf(pid) {
    const match = /^Uid:\t(\d+)/m.exec(readProc(pid, 'status') ?? '')
    return match ? Number(match[1]) : undefined
  },
  outputsOf: (pid) => [1, 2].flatMap((fd) => readLink(`/proc/${pid}/fd/${fd}`) ?? []),
}

function readLink(path: string): string | undefined {
  try {
    return readlinkSync(path)
  } catch {
    return undefined // ended or closed meanwhile, or another user's
  }
}

function readProc(pid: number, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1')
  } catch {
    return undefined // ended meanwhile, or another user's
  }
}

function readProcess(pid: number): Process | undefined {
  const text = readProc(pid, 'stat')
  return text === undefined ? undefined : parseStat(text)
}

/** The command name in brackets may itself hold brackets and spaces; the fields follow the last one. */
export function parseStat(text: string): Process | undefined {
  const end = text.lastIndexOf(')')
  const pid = Number.parseInt(text, 10)
  const fields = text.slice(end + 2).split(' ')
  const startTicks = Number(fields[19])
  if (end < 0 || !Number.isSafeInteger(pid) || !Number.isSafeInteger(startTicks)) return undefined
  const state = fields[0] ?? ''
  return {
    pid,
    parent: Number(fields[1]),
    group: Number(fields[2]),
    session: Number(fields[3]),
    zombie: state === 'Z' || state === 'X' || state === 'x',
    startTicks,
  }
}

/**
 * The living processes of an instance: its main process, what is in its session or group, what carries its id, writes to
 * its pipe or is in its cgroup (`members`), and all descendants of those. A pid that was given to somebody else meanwhile does not count.
 */
export function processesOf(identity: Identity, table: ProcessTable, members: ReadonlySet<number>): Process[] {
  const all = table.all().filter((process) => process.pid > 1)
  const leader = all.find((process) => process.pid === identity.pid)
  const reused = leader !== undefined && leader.startTicks !== identity.startTicks
  const since = identity.startTicks ?? 0
  const own = new Set<number>()
  for (const process of all) {
    if (process.startTicks < since) continue
    const grouped =
      !reused && identity.pid !== undefined && (process.session === identity.pid || process.group === identity.pid)
    if (grouped || members.has(process.pid) || isMarked(process, identity, table)) own.add(process.pid)
  }
  addDescendants(own, all)
  return all.filter((candidate) => own.has(candidate.pid) && !candidate.zombie && candidate.pid !== process.pid)
}

/** Under uids of their own a process that claims another app's id in its environment is not believed. */
function isMarked({ pid }: Process, identity: Identity, table: ProcessTable): boolean {
  if (table.idOf(pid) !== identity.id && !table.outputsOf(pid).includes(identity.pipe)) return false
  return identity.uid === undefined || table.uidOf(pid) === identity.uid
}

function addDescendants(own: Set<number>, all: readonly Process[]): void {
  for (let grown = true; grown; ) {
    grown = false
    for (const process of all) {
      if (own.has(process.pid) || !own.has(process.parent)) continue
      own.add(process.pid)
      grown = true
    }
  }
}

/**
 * Processes under a uid that is one app's alone which belong to none of its other instances: they left session, group and
 * environment behind to be overlooked. Only those in a place of ours (`isOurPlace`, by cgroup) count, so that nobody is
 * touched who has such a uid by chance (a rootless container's).
 */
export function straysOf(
  uid: number,
  others: readonly Identity[],
  table: ProcessTable,
  isOurPlace: (pid: number) => boolean,
): Process[] {
  const suspects = table
    .all()
    .filter((process) => !process.zombie && process.pid > 1 && table.uidOf(process.pid) === uid)
  if (suspects.length === 0) return []
  const innocent = new Set(others.flatMap((other) => processesOf(other, table, new Set()).map(({ pid }) => pid)))
  return suspects.filter(({ pid }) => !innocent.has(pid) && isOurPlace(pid))
}

/** Whether this very process still runs. */
export function isAlive(pid: number, startTicks: number, table: ProcessTable): boolean {
  const process = table.one(pid)
  return process !== undefined && process.startTicks === startTicks && !process.zombie
}

/** This boot of the machine; an instance of another boot cannot run any more. */
export function readBootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
}
