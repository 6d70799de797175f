import { UserError } from '../kernel/errors.ts'
import { type LinePosition, parseLineId } from '../supervisor/output/log-format.ts'
import { type LineFilter, type LogLine, matches } from './log-line.ts'
import { listSegments, readLines } from './segment-files.ts'

/** Everything there is to read at and after a position, segment by segment, up to the end that the stream has now. */
export async function* readChunks(
  folder: string,
  from: LinePosition,
): AsyncGenerator<{ lines: readonly LogLine[]; end: LinePosition }> {
  const segments = await listSegments(folder)
  const last = segments.at(-1)
  // After a removal the numbers begin again: a position past the end means that none of this has been read.
  const start = last !== undefined && from.segment > last ? { segment: 0, offset: 0 } : from
  for (const segment of segments.filter((number) => number >= start.segment)) {
    const offset = segment === start.segment ? start.offset : 0
    const chunk = (await readLines(folder, { segment, offset })) ?? (await readLines(folder, { segment, offset: 0 }))
    if (chunk) yield chunk
  }
}

export interface LinesPage {
  readonly lines: readonly LogLine[]
  /** Token of the page that follows; absent when this one reaches the end that the stream has now. */
  readonly next?: string
}

/** A page of lines from a position on, oldest first. */
export async function readPage(
  folder: string,
  from: LinePosition,
  limit: number,
  filter: LineFilter,
): Promise<LinesPage> {
  const lines: LogLine[] = []
  for await (const chunk of readChunks(folder, from)) {
    for (const line of chunk.lines) {
      if (!matches(line, filter)) continue
      if (lines.length === limit) return { lines, next: line.id }
      lines.push(line)
    }
  }
  return { lines }
}

/** The last `count` matching lines, oldest first. Reads from the end, and no more segments than it needs. */
export async function readLast(folder: string, count: number, filter: LineFilter): Promise<readonly LogLine[]> {
  const segments = await listSegments(folder)
  let found: readonly LogLine[] = []
  for (const segment of segments.toReversed()) {
    if (found.length >= count) break
    const chunk = await readLines(folder, { segment, offset: 0 })
    if (!chunk) continue
    found = [...chunk.lines.filter((line) => matches(line, filter)), ...found]
    const first = chunk.lines[0]
    if (filter.since && first && first.at < filter.since.toISOString()) break
  }
  return count > 0 ? found.slice(-count) : []
}

/** Where a reader begins that has not read anything: at the first line of `since`, of the last `tail`, or of all. */
export async function findStart(folder: string, filter: LineFilter, tail: number | undefined): Promise<LinePosition> {
  if (tail !== undefined) {
    const [first] = await readLast(folder, tail, filter)
    return (first && parseLineId(first.id)) ?? (await findEnd(folder))
  }
  if (!filter.since) return { segment: 0, offset: 0 }
  const since = filter.since.toISOString()
  for (const segment of (await listSegments(folder)).toReversed()) {
    const chunk = await readLines(folder, { segment, offset: 0 })
    const first = chunk?.lines[0]
    if (first && first.at < since) return { segment, offset: 0 }
  }
  return { segment: 0, offset: 0 }
}

async function findEnd(folder: string): Promise<LinePosition> {
  const segment = (await listSegments(folder)).at(-1) ?? 0
  const chunk = await readLines(folder, { segment, offset: 0 })
  return chunk?.end ?? { segment: 0, offset: 0 }
}

/** Where to go on after a line: behind it, or at the oldest line that is kept when it is gone. */
export async function findAfter(folder: string, id: string): Promise<LinePosition> {
  const position = parsePosition(id, { type: 'header', name: 'Last-Event-ID' })
  const chunk = await readLines(folder, position)
  const [line, following] = chunk?.lines ?? []
  if (!chunk || line?.id !== id) return position
  return (following && parseLineId(following.id)) ?? chunk.end
}

/** Throws `invalid_header` or `invalid_page_token` on what no stream has given. */
export function parsePosition(id: string, target: { type: 'header' | 'parameter'; name: string }): LinePosition {
  const position = parseLineId(id)
  if (position) return position
  const code = target.type === 'header' ? 'invalid_header' : 'invalid_page_token'
  throw new UserError(code, `${target.name} must be the id of a log line, such as "1-2048". Begin again without it.`, {
    target,
  })
}
