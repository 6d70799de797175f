import { destination, pino } from 'pino'
import type { Logger } from './logger.ts'

export const logLevels = ['debug', 'info', 'warn', 'error'] as const
export type LogLevel = (typeof logLevels)[number]

export interface PinoLoggerOptions {
  readonly level: LogLevel
  /** A file descriptor. Written to at once: a line is not lost in a crash. Default standard output. */
  readonly fd?: number
}

/** A line of JSON an event, with its time as RFC 3339. Errors go in the fact `err`, with their causes. */
export function createPinoLogger({ level, fd = 1 }: PinoLoggerOptions): Logger {
  const options = {
    level,
    base: { pid: process.pid },
    timestamp: () => `,"at":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
    messageKey: 'event',
    redact: { paths: ['token', '*.authorization', 'headers.authorization'], censor: '…' },
  }
  return pino(options, destination({ dest: fd, sync: true }))
}
