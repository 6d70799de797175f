import { backoffMs } from '../kernel/backoff.ts'
import type { Clock } from '../kernel/clock.ts'
import { messageOf } from '../kernel/errors.ts'
import type { Logger } from '../kernel/logger.ts'
import { maxStreamBytesOf } from './log-line.ts'

/** The one writer of log files, seen from here: the supervisor's verbs `append` and `removeStream`. */
export interface LogAppender {
  append(stream: string, source: string, lines: readonly string[], maxStreamBytes: number): Promise<void>
  removeStream(stream: string): Promise<void>
}

export interface LineBuffer {
  append(stream: string, source: string, lines: readonly string[]): void
  /** Resolves when everything appended before is written, or after `maxFlushMs` when the writer does not answer. */
  flush(): Promise<void>
}

interface Batch {
  readonly stream: string
  readonly source: string
  readonly lines: string[]
  bytes: number
}

const maxBufferedBytes = 8 * 1024 * 1024
const maxBatchBytes = 256 * 1024
const maxFlushMs = 3000

/**
 * Holds lines until the writer has taken them, in order, one call at a time; lines of one stream and source travel
 * together. While the writer is away (a supervisor being replaced) it keeps up to 8 MiB and counts what it drops.
 */
export function createLineBuffer(deps: { appender: LogAppender; clock: Clock; log: Logger }): LineBuffer {
  const { appender, clock, log } = deps
  const queue: Batch[] = []
  const dropped = new Map<string, number>()
  let buffered = 0
  let draining: Promise<void> | undefined

  const put = (stream: string, source: string, line: string): void => {
    const bytes = line.length * 2 + 64
    if (buffered + bytes > maxBufferedBytes) return void dropped.set(stream, (dropped.get(stream) ?? 0) + 1)
    const last = queue.at(-1)
    const fits = last && last.stream === stream && last.source === source && last.bytes + bytes <= maxBatchBytes
    const batch = fits ? last : { stream, source, lines: [], bytes: 0 }
    if (!fits) queue.push(batch)
    batch.lines.push(line)
    batch.bytes += bytes
    buffered += bytes
  }
  const putNotices = (): void => {
    for (const [stream, count] of dropped) {
      dropped.delete(stream)
      put(stream, 'gantry', `dropped ${count} lines: the log could not be written for a while`)
    }
  }
  const drain = async (): Promise<void> => {
    let failures = 0
    for (let batch = queue.shift(); batch; batch = queue.shift()) {
      try {
        await appender.append(batch.stream, batch.source, batch.lines, maxStreamBytesOf(batch.stream))
        buffered -= batch.bytes
        failures = 0
      } catch (error) {
        queue.unshift(batch)
        failures++
        if (failures === 1)
          log.warn({ stream: batch.stream, cause: messageOf(error) }, 'log lines could not be written')
        await clock.wait(backoffMs(failures, 100, 2000))
      }
      if (queue.length === 0) putNotices()
    }
    draining = undefined
  }
  return {
    append(stream, source, lines) {
      for (const line of lines.flatMap((text) => text.split(/\r?\n/))) put(stream, source, line)
      draining ??= Promise.resolve().then(drain)
    },
    async flush() {
      if (!draining) return
      const deadline = new AbortController()
      const limit = clock.wait(maxFlushMs, deadline.signal).catch(() => undefined)
      await Promise.race([draining, limit])
      deadline.abort()
    },
  }
}
