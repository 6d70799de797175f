import type { Clock } from '../../kernel/clock.ts'
import { messageOf } from '../../kernel/errors.ts'
import type { Logger } from '../../kernel/logger.ts'
import { formatLine, platformSource } from './log-format.ts'
import { type LogReader, openSegments, trimGroup } from './segments.ts'
import { createTokenBucket } from './token-bucket.ts'

export interface StreamDeps {
  /** `GANTRY_HOME/logs`. */
  readonly folder: string
  readonly reader: LogReader | undefined
  readonly clock: Clock
  readonly log: Logger
  readonly bytesPerSecond: number
  readonly burstBytes: number
}

/** One stream that is being written. Throws only from `openStream`. */
export interface Stream {
  write(source: string, lines: readonly string[], maxStreamBytes: number): void
  /** Writes what was dropped, when the rate allows it again (or `force`). */
  settle(force: boolean): void
  close(): void
  readonly usedAtMs: number
}

const noticeBytes = 256
const batchCharacters = 256 * 1024

export function openStream(name: string, deps: StreamDeps): Stream {
  const { clock } = deps
  const segments = openSegments(deps.folder, name, deps.reader)
  const bucket = createTokenBucket(deps.bytesPerSecond, deps.burstBytes, clock.monotonicMs)
  const limit = `more than ${Math.round(deps.bytesPerSecond / 1024)} KiB a second`
  let dropped: { lines: number; bytes: number; reason: string } | undefined
  let usedAtMs = clock.monotonicMs()
  let cap = Number.MAX_SAFE_INTEGER

  const drop = (lines: number, bytes: number, reason: string): void => {
    dropped ??= { lines: 0, bytes: 0, reason }
    dropped.lines += lines
    dropped.bytes += bytes
  }
  const store = (text: string, lines: number): void => {
    if (text === '') return
    try {
      if (segments.write(Buffer.from(text))) trimGroup(deps.folder, name, cap)
    } catch (error) {
      drop(lines, Buffer.byteLength(text), 'the log could not be written')
      deps.log.error({ stream: name, cause: messageOf(error) }, 'output could not be written')
    }
  }
  const settle = (force: boolean): void => {
    if (!dropped || !(bucket.take(noticeBytes) || force)) return
    const { lines, bytes, reason } = dropped
    dropped = undefined
    const notice = `dropped ${lines} lines (${bytes} bytes): ${reason}`
    store(formatLine(clock.now().toISOString(), platformSource, notice), lines)
  }
  return {
    write(source, lines, maxStreamBytes) {
      usedAtMs = clock.monotonicMs()
      cap = maxStreamBytes
      settle(false)
      const at = clock.now().toISOString()
      let batch = ''
      let count = 0
      for (const line of lines) {
        const formatted = formatLine(at, source, line)
        // Once one is dropped the rest goes too: a stream with single lines missing here and there would mislead.
        if (dropped || !bucket.take(Buffer.byteLength(formatted))) {
          drop(1, Buffer.byteLength(line) + 1, limit)
          continue
        }
        batch += formatted
        count++
        if (batch.length < batchCharacters) continue
        store(batch, count)
        batch = ''
        count = 0
      }
      store(batch, count)
    },
    settle,
    close() {
      settle(true)
      segments.close()
    },
    get usedAtMs() {
      return usedAtMs
    },
  }
}
