import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../../kernel/clock.ts'
import { messageOf } from '../../kernel/errors.ts'
import type { Logger } from '../../kernel/logger.ts'
import { Refusal, type SpawnOutput } from '../protocol.ts'
import { createLineSplitter } from './line-splitter.ts'
import { formatLine, isSource, isStreamName, oneLine, platformSource } from './log-format.ts'
import { type LogReader, openSegments, type SegmentWriter, trimGroup } from './segments.ts'
import { createTokenBucket, type TokenBucket } from './token-bucket.ts'

/** Everything that instances, tasks and the control plane write, on its way to segment files. */
export interface Output {
  /** Stamps and writes lines. Never throws: what cannot be written is counted as dropped. */
  write(target: SpawnOutput, lines: readonly string[]): void
  /** Deletes a stream, or all below a prefix. */
  removeStream(stream: string): void
  /** Writes the notices about what was dropped and closes the files. */
  close(): void
}

export interface OutputDeps {
  /** `GANTRY_HOME/logs`. */
  readonly folder: string
  readonly reader: LogReader | undefined
  readonly clock: Clock
  readonly log: Logger
  readonly bytesPerSecond?: number
  readonly burstBytes?: number
}

interface Stream {
  readonly name: string
  readonly segments: SegmentWriter
  readonly bucket: TokenBucket
  maxStreamBytes: number
  usedAtMs: number
  dropped: { lines: number; bytes: number; reason: string } | undefined
}

const idleCloseMs = 60_000
const noticeReserveBytes = 256

export function createOutput(deps: OutputDeps): Output {
  const { bytesPerSecond = 4 * 1024 * 1024, burstBytes = 16 * 1024 * 1024 } = deps
  const streams = new Map<string, Stream>()
  const limit = `more than ${Math.round(bytesPerSecond / 1024)} KiB a second`

  const open = (target: SpawnOutput): Stream => {
    const known = streams.get(target.stream)
    const stream = known ?? {
      name: target.stream,
      segments: openSegments(deps.folder, target.stream, deps.reader),
      bucket: createTokenBucket(bytesPerSecond, burstBytes, deps.clock.monotonicMs),
      maxStreamBytes: target.maxStreamBytes,
      usedAtMs: 0,
      dropped: undefined,
    }
    streams.set(target.stream, stream)
    stream.maxStreamBytes = target.maxStreamBytes
    stream.usedAtMs = deps.clock.monotonicMs()
    return stream
  }
  const store = (stream: Stream, text: string): void => {
    if (stream.segments.write(Buffer.from(text))) trimGroup(deps.folder, stream.name, stream.maxStreamBytes)
  }
  const notice = (stream: Stream, force: boolean): void => {
    if (!stream.dropped || !(stream.bucket.take(noticeReserveBytes) || force)) return
    const { lines, bytes, reason } = stream.dropped
    store(
      stream,
      formatLine(deps.clock.now().toISOString(), platformSource, `dropped ${lines} lines (${bytes} bytes): ${reason}`),
    )
    stream.dropped = undefined
  }
  const attempt = (stream: Stream, action: () => void): void => {
    try {
      action()
    } catch (error) {
      drop(stream, 1, 0, 'the log could not be written')
      deps.log.error({ stream: stream.name, cause: messageOf(error) }, 'output could not be written')
    }
  }
  const tick = setInterval(() => {
    const now = deps.clock.monotonicMs()
    for (const stream of streams.values()) {
      if (stream.dropped) attempt(stream, () => notice(stream, false))
      else if (now - stream.usedAtMs > idleCloseMs) {
        stream.segments.close()
        streams.delete(stream.name)
      }
    }
  }, 1000)
  tick.unref()

  return {
    write(target, lines) {
      let stream: Stream
      try {
        stream = open(target)
      } catch (error) {
        return deps.log.error({ stream: target.stream, cause: messageOf(error) }, 'a log could not be opened')
      }
      attempt(stream, () =>
        writeLines({ stream, source: target.source, lines, at: deps.clock.now().toISOString(), limit, notice, store }),
      )
    },
    removeStream(name) {
      if (!isStreamName(name)) throw new Refusal('SpecRejected', `not a stream: ${JSON.stringify(name)}`)
      for (const stream of [...streams.values()]) {
        if (stream.name !== name && !stream.name.startsWith(`${name}/`)) continue
        stream.segments.close()
        streams.delete(stream.name)
      }
      const path = join(deps.folder, name)
      if (existsSync(path)) rmSync(path, { recursive: true })
    },
    close() {
      clearInterval(tick)
      for (const stream of streams.values()) {
        attempt(stream, () => notice(stream, true))
        stream.segments.close()
      }
      streams.clear()
    },
  }
}

function drop(stream: Stream, lines: number, bytes: number, reason: string): void {
  const dropped = stream.dropped ?? { lines: 0, bytes: 0, reason }
  dropped.lines += lines
  dropped.bytes += bytes
  stream.dropped = dropped
}

interface WriteLines {
  readonly stream: Stream
  readonly source: string
  readonly lines: readonly string[]
  readonly at: string
  readonly limit: string
  notice(stream: Stream, force: boolean): void
  store(stream: Stream, text: string): void
}

function writeLines({ stream, source, lines, at, limit, notice, store }: WriteLines): void {
  notice(stream, false)
  let text = ''
  for (const line of lines) {
    const formatted = formatLine(at, source, line)
    // After a drop the rest of the burst goes too: a stream with single lines missing here and there would mislead.
    if (stream.dropped || !stream.bucket.take(Buffer.byteLength(formatted))) {
      drop(stream, 1, Buffer.byteLength(line) + 1, limit)
      continue
    }
    text += formatted
    if (text.length > 256 * 1024) {
      store(stream, text)
      text = ''
    }
  }
  if (text) store(stream, text)
}

/** Checks what a caller named; everything behind this takes it as checked. */
export function checkedOutput(output: SpawnOutput): SpawnOutput {
  if (!isStreamName(output.stream)) throw new Refusal('SpecRejected', `not a stream: ${JSON.stringify(output.stream)}`)
  if (!isSource(output.source)) throw new Refusal('SpecRejected', `not a source: ${JSON.stringify(output.source)}`)
  if (!(output.maxStreamBytes > 0)) throw new Refusal('SpecRejected', 'maxStreamBytes must be a positive number')
  return output
}

/** Lines as a caller sends them, as lines of the file: cut at newlines and at the longest allowed length. */
export function cutLines(lines: readonly string[]): string[] {
  return lines.flatMap((line) => {
    if (line.length < 4096) return line.split('\n').map(oneLine)
    const splitter = createLineSplitter()
    return [...splitter.push(Buffer.from(line)), ...splitter.flush()]
  })
}
