import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { messageOf } from '../../kernel/errors.ts'
import { Refusal, type SpawnOutput } from '../protocol.ts'
import { createLineSplitter } from './line-splitter.ts'
import { isSource, isStreamName, oneLine } from './log-format.ts'
import { openStream, type Stream, type StreamDeps } from './stream.ts'

/** Everything that instances, tasks and the control plane write, on its way to segment files. */
export interface Output {
  /** Stamps and writes lines. Never throws: what cannot be written is counted as dropped. */
  write(target: SpawnOutput, lines: readonly string[]): void
  /** Deletes a stream, or all below a prefix. */
  removeStream(stream: string): void
  /** Writes the notices about what was dropped and closes the files. */
  close(): void
}

/** 4 MiB a second with a burst of 16 MiB for each stream, unless said otherwise. */
export type OutputDeps = Omit<StreamDeps, 'bytesPerSecond' | 'burstBytes'> &
  Partial<Pick<StreamDeps, 'bytesPerSecond' | 'burstBytes'>>

const idleCloseMs = 60_000

export function createOutput(given: OutputDeps): Output {
  const deps: StreamDeps = { bytesPerSecond: 4 * 1024 * 1024, burstBytes: 16 * 1024 * 1024, ...given }
  const streams = new Map<string, Stream>()
  const close = (name: string, stream: Stream): void => {
    streams.delete(name)
    stream.close()
  }
  const tick = setInterval(() => {
    const idle = deps.clock.monotonicMs() - idleCloseMs
    for (const [name, stream] of [...streams]) {
      if (stream.usedAtMs < idle) close(name, stream)
      else stream.settle(false)
    }
  }, 1000)
  tick.unref()

  return {
    write(target, lines) {
      try {
        const stream = streams.get(target.stream) ?? openStream(target.stream, deps)
        streams.set(target.stream, stream)
        stream.write(target.source, lines, target.maxStreamBytes)
      } catch (error) {
        deps.log.error({ stream: target.stream, cause: messageOf(error) }, 'a log could not be opened')
      }
    },
    removeStream(name) {
      if (!isStreamName(name)) throw new Refusal('SpecRejected', `not a stream: ${JSON.stringify(name)}`)
      for (const [open, stream] of [...streams]) {
        if (open === name || open.startsWith(`${name}/`)) close(open, stream)
      }
      rmSync(join(deps.folder, name), { recursive: true, force: true })
    },
    close() {
      clearInterval(tick)
      for (const [name, stream] of [...streams]) close(name, stream)
    },
  }
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
