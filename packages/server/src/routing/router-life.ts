import { readFileSync } from 'node:fs'
import { isSystemError } from '../kernel/errors.ts'

/**
 * Whether the process that a router's id names (`router-<pid>-<start time>`, router/router-id.ts) has certainly ended,
 * so that nobody waits for the lease of a killed router. An id of another form tells nothing: false.
 */
export function isRouterGone(routerId: string): boolean {
  const parts = /^router-(\d+)-(\d+)$/.exec(routerId)
  if (!parts) return false
  try {
    const life = readLife(readFileSync(`/proc/${parts[1]}/stat`, 'latin1'))
    return life.startTime !== parts[2] || life.state === 'Z' || life.state === 'X'
  } catch (error) {
    return isSystemError(error, 'ENOENT', 'ESRCH')
  }
}

/**
 * Fields 3 and 22 of /proc/PID/stat (proc_pid_stat(5)); the start is in ticks since boot. The name in field 2 may hold
 * spaces and parentheses.
 */
export function readLife(stat: string): { state: string | undefined; startTime: string | undefined } {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return { state: fields[0], startTime: fields[19] }
}
