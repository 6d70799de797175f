import { open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { isSystemError } from '../kernel/errors.ts'
import {
  formatLineId,
  isStreamName,
  type LinePosition,
  parseLine,
  segmentName,
  segmentNumber,
} from '../supervisor/output/log-format.ts'
import type { LogLine } from './log-line.ts'

/** Whole lines of one segment from an offset on, and where the next line will begin. */
export interface SegmentLines {
  readonly lines: readonly LogLine[]
  readonly end: LinePosition
}

/** Segments are cut at 1 MiB; more than this is not one of ours and is read up to here. */
const maxSegmentBytes = 4 * 1024 * 1024
const newline = 0x0a

/** The folder of a stream. Throws on what is not a stream's name, so that no caller can leave the folder of the logs. */
export function streamFolder(logs: string, stream: string): string {
  if (!isStreamName(stream)) throw new RangeError(`not the name of a log stream: ${stream}`)
  return join(logs, stream)
}

/** Numbers of the segments that exist, oldest first. A missing stream has none. */
export async function listSegments(folder: string): Promise<readonly number[]> {
  try {
    const names = await readdir(folder)
    return names.flatMap((name) => segmentNumber(name) ?? []).sort((a, b) => a - b)
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return []
    throw error
  }
}

/**
 * Reads the lines that begin at or after a position in its segment. Undefined when the segment is gone, or shorter than
 * the position says: then it is another segment of the same number.
 */
export async function readLines(folder: string, from: LinePosition): Promise<SegmentLines | undefined> {
  const bytes = await readFrom(join(folder, segmentName(from.segment)), from.offset)
  if (!bytes) return undefined
  const lines: LogLine[] = []
  let start = 0
  for (let stop = bytes.indexOf(newline); stop >= 0; stop = bytes.indexOf(newline, start)) {
    const parts = parseLine(bytes.toString('utf8', start, stop))
    const id = formatLineId({ segment: from.segment, offset: from.offset + start })
    if (parts) lines.push({ id, at: parts.at, source: parts.source, message: parts.text })
    start = stop + 1
  }
  return { lines, end: { segment: from.segment, offset: from.offset + start } }
}

async function readFrom(path: string, offset: number): Promise<Buffer | undefined> {
  const file = await open(path, 'r').catch((error: unknown) => {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return undefined
    throw error
  })
  if (!file) return undefined
  try {
    const { size } = await file.stat()
    if (offset > size) return undefined
    const bytes = Buffer.allocUnsafe(Math.min(size - offset, maxSegmentBytes))
    let filled = 0
    while (filled < bytes.length) {
      const { bytesRead } = await file.read(bytes, filled, bytes.length - filled, offset + filled)
      if (bytesRead === 0) break
      filled += bytesRead
    }
    return bytes.subarray(0, filled)
  } finally {
    await file.close()
  }
}
