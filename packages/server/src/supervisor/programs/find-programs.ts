import { readFileSync } from 'node:fs'
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

/**
 * Finds the programs of a home by their mark, the newest first. Only group leaders count, which children of a program are not, and
 * only processes of `uids`: an app may claim anything in its environment.
 */
export function findPrograms(
  homeKey: string,
  uids: ReadonlySet<number>,
  table: Pick<ProcessTable, 'all' | 'idOf' | 'uidOf'>,
): FoundProgram[] {
  const found = table.all().flatMap((candidate): FoundProgram[] => {
    const { pid, group, zombie, startTicks } = candidate
    if (zombie || group !== pid || pid === process.pid) return []
    const [kind, name, key] = (table.idOf(pid) ?? '').split(':')
    if (kind !== 'program' || name === undefined || key !== homeKey) return []
    const uid = table.uidOf(pid)
    if (uid === undefined || !uids.has(uid)) return []
    return [{ name, pid, startTicks, build: buildOf(pid) }]
  })
  return found.sort((a, b) => b.startTicks - a.startTicks || b.pid - a.pid)
}

function buildOf(pid: number): string {
  try {
    return /(?:^|\0)GANTRY_PROGRAM_BUILD=([^\0]*)/.exec(readFileSync(`/proc/${pid}/environ`, 'latin1'))?.[1] ?? ''
  } catch {
    return '' // it has ended
  }
}
