import { readFileSync } from 'node:fs'
import { isSystemError } from './errors.ts'

/** What tells one life of a pid from another (proc_pid_stat(5), fields 3 and 22). */
export interface ProcessLife {
  /** `Z` and `X`: it has ended, and waits for its parent. */
  readonly state: string
  /** Clock ticks since the machine's boot. */
  readonly startTicks: string
}

/** The process that has this pid now; undefined when none has. */
function readProcessLife(pid: number | string): ProcessLife | undefined {
  try {
    return parseProcessStat(readFileSync(`/proc/${pid}/stat`, 'latin1'))
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ESRCH')) return undefined
    throw error
  }
}

/** The name in field 2 may hold spaces and parentheses. */
function parseProcessStat(stat: string): ProcessLife {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return { state: fields[0] ?? '', startTicks: fields[19] ?? '' }
}

/** Names this life of a process, so that others on the machine can see when it has ended: `<pid>-<start ticks>`. */
export function nameProcess(pid: number): string {
  return `${pid}-${readProcessLife(pid)?.startTicks ?? 0}`
}

/** Whether the process that `nameProcess` named has certainly ended. A name of another form tells nothing: false. */
export function hasProcessEnded(name: string): boolean {
  const parts = /^(\d+)-(\d+)$/.exec(name)
  if (!parts) return false
  const life = readProcessLife(parts[1] ?? '')
  return life === undefined || life.startTicks !== parts[2] || life.state === 'Z' || life.state === 'X'
}
