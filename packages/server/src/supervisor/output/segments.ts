import {
  chownSync,
  closeSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { capGroupOf, segmentBytes, segmentName, segmentNumber } from './log-format.ts'

/** Who may read the files besides the supervisor: the control plane's group. Undefined: only its own user. */
export interface LogReader {
  readonly gid: number
}

/** The writer of one stream's segment files. Writes are synchronous, so that nothing is held in memory. */
export interface SegmentWriter {
  /** Appends whole lines. True when that began a new segment. */
  write(lines: Buffer): boolean
  close(): void
}

export function openSegments(logs: string, stream: string, reader: LogReader | undefined): SegmentWriter {
  const folder = join(logs, stream)
  makeFolders(logs, folder, reader)
  let segment = Math.max(1, ...segmentsIn(folder))
  let open = openSegment(join(folder, segmentName(segment)), reader)
  return {
    write(lines) {
      const rolled = open.size > 0 && open.size + lines.length > segmentBytes
      if (rolled) {
        // the next one first: were it to fail, a number that was closed here would be somebody else's file by the next try
        const next = openSegment(join(folder, segmentName(segment + 1)), reader)
        closeSync(open.fd)
        segment++
        open = next
      }
      open.size += writeSync(open.fd, lines)
      return rolled
    },
    close: () => closeSync(open.fd),
  }
}

function openSegment(path: string, reader: LogReader | undefined): { fd: number; size: number } {
  const fd = openSync(path, 'a+', reader ? 0o640 : 0o600)
  try {
    if (reader) chownSync(path, -1, reader.gid)
    const size = fstatSync(fd).size
    const last = Buffer.alloc(1)
    if (size === 0 || (readSync(fd, last, 0, 1, size - 1) === 1 && last[0] === 0x0a)) return { fd, size }
    return { fd, size: size + writeSync(fd, '\n') } // the line that a power cut tore ends here
  } catch (error) {
    closeSync(fd)
    throw error
  }
}

function makeFolders(logs: string, folder: string, reader: LogReader | undefined): void {
  const missing: string[] = []
  for (let path = folder; path.length >= logs.length; path = dirname(path)) missing.unshift(path)
  for (const path of missing) {
    if (statSync(path, { throwIfNoEntry: false })) continue
    mkdirSync(path, { mode: reader ? 0o750 : 0o700, recursive: true })
    if (reader) chownSync(path, -1, reader.gid)
  }
}

function segmentsIn(folder: string): number[] {
  return readdirSync(folder).flatMap((name) => segmentNumber(name) ?? [])
}

/**
 * Deletes the oldest segments of a cap group until all of them together are within the cap. The last segment of a stream
 * is being written and stays.
 */
export function trimGroup(logs: string, stream: string, maxBytes: number): void {
  const group = capGroupOf(stream)
  const streams = group === stream ? [stream] : readdirSync(join(logs, group)).map((name) => `${group}/${name}`)
  const closed: { path: string; size: number; mtimeMs: number }[] = []
  let total = 0
  for (const folder of streams.map((name) => join(logs, name))) {
    const numbers = segmentsIn(folder).sort((a, b) => a - b)
    for (const [index, number] of numbers.entries()) {
      const path = join(folder, segmentName(number))
      const { size, mtimeMs } = statSync(path)
      total += size
      if (index < numbers.length - 1) closed.push({ path, size, mtimeMs })
    }
  }
  closed.sort((a, b) => a.mtimeMs - b.mtimeMs || (a.path < b.path ? -1 : 1))
  for (const { path, size } of closed) {
    if (total <= maxBytes) return
    rmSync(path)
    total -= size
  }
}
