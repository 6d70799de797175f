/**
 * The files that output is kept in: `GANTRY_HOME/logs/<stream>/00000001.log`, `00000002.log`, …; the last one is written to.
 * A line is `<RFC 3339, ms, UTC> <source> <text>\n`. The supervisor alone writes; anyone with the right reads, also while it
 * writes: what follows the last `\n` is not a line yet.
 */

/** Size at which a new segment begins, in bytes. */
export const segmentBytes = 1024 * 1024

/** Longest text of a line, in bytes of UTF-8; what is longer is split into several lines. */
export const maxTextBytes = 16 * 1024

/** Source of the lines that Gantry itself adds. */
export const platformSource = 'gantry'

export interface LogLineParts {
  /** RFC 3339 in UTC with milliseconds. */
  readonly at: string
  readonly source: string
  readonly text: string
}

/** Place of a line in its stream: it sorts by segment, then offset. */
export interface LinePosition {
  readonly segment: number
  /** Byte offset of the line's first byte in its segment. */
  readonly offset: number
}

export function formatLine(at: string, source: string, text: string): string {
  return `${at} ${source} ${text}\n`
}

/** Takes a line without its newline. Undefined for what is not a line (the torn end of a segment after a power cut). */
export function parseLine(line: string): LogLineParts | undefined {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) (\S+) (.*)$/s.exec(line)
  if (!match) return undefined
  const [, at = '', source = '', text = ''] = match
  return { at, source, text }
}

export function segmentName(segment: number): string {
  return `${String(segment).padStart(8, '0')}.log`
}

export function segmentNumber(fileName: string): number | undefined {
  const match = /^(\d{8,15})\.log$/.exec(fileName)
  return match ? Number(match[1]) : undefined
}

/** The id of a line on the wire: `<segment>-<byte offset>`. */
export function formatLineId(position: LinePosition): string {
  return `${position.segment}-${position.offset}`
}

export function parseLineId(id: string): LinePosition | undefined {
  const match = /^(\d{1,15})-(\d{1,15})$/.exec(id)
  return match ? { segment: Number(match[1]), offset: Number(match[2]) } : undefined
}

/** `app/<app id>/<environment id>`, `build/<app id>/<build id>`, `deploy/<app id>/<deploy id>`: safe as a path by its form. */
export function isStreamName(text: string): boolean {
  return text.length <= 200 && /^[a-z][a-z0-9]*(\/[a-z0-9][a-z0-9-]*){1,3}$/.test(text)
}

export function isSource(text: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(text)
}

/** What shares one size cap: all environments of an app together; a build's or deploy's stream alone. */
export function capGroupOf(stream: string): string {
  const [kind, owner] = stream.split('/')
  return kind === 'app' && owner !== undefined ? `app/${owner}` : stream
}

/** Text as a line can hold it: no newline or carriage return. */
export function oneLine(text: string): string {
  return text.replace(/\r$/, '').replace(/[\r\n]/g, ' ')
}
