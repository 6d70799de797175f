import { join } from 'node:path'
import { processTable } from '../instances/processes.ts'
import type { SupervisorContext } from '../supervisor-deps.ts'
import { type FoundProgram, findPrograms, readLending } from './find-programs.ts'

/** The programs of this home that run, whoever started them; the newest first. */
export function findSurvivors({ home, users }: SupervisorContext): FoundProgram[] {
  // as root 0 too: a program has not yet become somebody else in its first moments
  const uids = new Set(users ? [0, users.controlPlane, users.router] : [process.getuid?.() ?? -1])
  const nameByLending = readLending(join(home.path, 'run'))
  return findPrograms({ homeKey: home.key, uids, table: processTable, nameByLending })
}
