import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { ProcessTable } from '../instances/processes.ts'

/** A program's process that an earlier supervisor of this home started. */
export interface FoundProgram {
  /** As in `GANTRY_INSTANCE_ID`. */
  readonly name: string
  readonly pid: number
  readonly startTicks: number
  /** Which build of Gantry it runs. */
  readonly build: string
}

/** The mark that every process of a program carries from its first moment, so that no record of it can be missing or stale. */
export function programMark(name: string, homeKey: string): string {
  return `program:${name}:${homeKey}`
}

export interface Search {
  readonly homeKey: string
  /** Users that programs run as: an app may claim anything in its environment. */
  readonly uids: ReadonlySet<number>
  readonly table: Pick<ProcessTable, 'all' | 'idOf' | 'uidOf'>
  /** The program's name that a socket to lend by tells of a pid whose environment cannot be read. */
  readonly nameByLending: (pid: number) => string | undefined
}

/**
 * Finds the programs of a home, the newest first: by their mark, or, where root may not read environments (containers without
 * CAP_SYS_PTRACE), by the socket that each lends its sockets by. Only group leaders count, which children of a program are not.
 */
export function findPrograms({ homeKey, uids, table, nameByLending }: Search): FoundProgram[] {
  const found = table.all().flatMap(({ pid, group, zombie, startTicks }): FoundProgram[] => {
    if (zombie || group !== pid || pid === process.pid) return []
    const uid = table.uidOf(pid)
    if (uid === undefined || !uids.has(uid)) return []
    const mark = table.idOf(pid)
    const name = mark === undefined && uid !== 0 ? nameByLending(pid) : nameByMark(mark, homeKey)
    return name === undefined ? [] : [{ name, pid, startTicks, build: buildOf(pid) }]
  })
  return found.sort((a, b) => b.startTicks - a.startTicks || b.pid - a.pid)
}

function nameByMark(mark: string | undefined, homeKey: string): string | undefined {
  const [kind, name, key] = (mark ?? '').split(':')
  return kind === 'program' && key === homeKey ? name : undefined
}

/** Reads the lending sockets in a `run` folder that this user (as root: root) has made. */
export function readLending(run: string): (pid: number) => string | undefined {
  const names = new Map<number, string>()
  for (const file of readdirSync(run)) {
    const match = /^([a-z-]+)-(\d+)\.sock$/.exec(file)
    if (match?.[1] && statSync(join(run, file)).uid === process.getuid?.()) names.set(Number(match[2]), match[1])
  }
  return (pid) => names.get(pid)
}

function buildOf(pid: number): string {
  try {
    return /(?:^|\0)GANTRY_PROGRAM_BUILD=([^\0]*)/.exec(readFileSync(`/proc/${pid}/environ`, 'latin1'))?.[1] ?? ''
  } catch {
    return '' // it has ended, or may not be read: then it is replaced, whatever it is
  }
}
