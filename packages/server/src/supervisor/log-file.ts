import { writeSync } from 'node:fs'
import type { Clock } from '../kernel/clock.ts'
import type { Logger } from '../kernel/logger.ts'

/** A line of JSON for each event, written at once: the supervisor says little, and what it says last matters most. */
export function createFileLogger(fd: number, clock: Pick<Clock, 'now'>, facts: object = {}): Logger {
  const write = (level: string) => (more: object, event: string) => {
    const line = JSON.stringify({ time: clock.now().toISOString(), level, event, ...facts, ...more })
    try {
      writeSync(fd, `${line}\n`)
    } catch {
      // a full disk must not end the supervisor
    }
  }
  return {
    debug: () => undefined,
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    child: (more) => createFileLogger(fd, clock, { ...facts, ...more }),
  }
}
