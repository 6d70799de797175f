import type { Logger } from '../kernel/logger.ts'

const silent = () => undefined

/** A line of JSON for each event but the debugging ones: all that this program needs, without a library's memory. */
export function createLineLogger(write: (line: string) => void, now: () => Date, bound: object = {}): Logger {
  const at = (level: string) => (facts: object, event: string) =>
    write(`${JSON.stringify({ level, time: now().toISOString(), ...bound, ...facts, msg: event }, showErrors)}\n`)
  return {
    debug: silent,
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (facts) => createLineLogger(write, now, { ...bound, ...facts }),
  }
}

function showErrors(_key: string, value: unknown): unknown {
  return value instanceof Error ? value.stack : value
}
