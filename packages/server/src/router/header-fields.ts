/** One field line of a head: where it is in the head's text, and whether it travels on. */
export interface HeaderField {
  /** In lower case. */
  readonly name: string
  readonly start: number
  readonly valueStart: number
  readonly valueEnd: number
  /** After the line's CRLF. */
  readonly end: number
  isKept: boolean
}

const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
/** Control characters but HTAB, and a CR or LF that is not half of a CRLF. */
const forbidden = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f]|\r(?!\n)|[^\r]\n|^\n/
const tab = 9
const space = 32

/** Whether a head holds bytes that no part of it may hold (RFC 9112 §2.2, RFC 9110 §5.5). Check before anything else. */
export function hasForbiddenBytes(head: string): boolean {
  return forbidden.test(head)
}

export function isToken(text: string): boolean {
  return token.test(text)
}

/**
 * Field lines of `head` from `from`; undefined when one is malformed: a name that is no token, space before the colon,
 * folding. `head` is decoded as latin1, ends with the CRLF of its last line, and has no forbidden bytes.
 */
export function scanFields(head: string, from: number): HeaderField[] | undefined {
  const fields: HeaderField[] = []
  let start = from
  while (start < head.length) {
    const lineEnd = head.indexOf('\r', start)
    const colon = head.indexOf(':', start)
    if (colon === -1 || colon > lineEnd) return undefined
    const name = head.slice(start, colon)
    if (!token.test(name)) return undefined
    let valueStart = colon + 1
    while (isBlank(head.charCodeAt(valueStart))) valueStart++
    let valueEnd = lineEnd
    while (valueEnd > valueStart && isBlank(head.charCodeAt(valueEnd - 1))) valueEnd--
    fields.push({ name: name.toLowerCase(), start, valueStart, valueEnd, end: lineEnd + 2, isKept: true })
    start = lineEnd + 2
  }
  return fields
}

function isBlank(code: number): boolean {
  return code === space || code === tab
}

/** The kept lines as they came, one after the other, each with its CRLF. */
export function keptLines(head: string, fields: readonly HeaderField[]): string {
  let kept = ''
  let runStart = -1
  let runEnd = -1
  for (const field of fields) {
    if (!field.isKept) continue
    if (field.start !== runEnd) {
      if (runStart !== -1) kept += head.slice(runStart, runEnd)
      runStart = field.start
    }
    runEnd = field.end
  }
  return runStart === -1 ? kept : kept + head.slice(runStart, runEnd)
}

/** The names in a `Connection` value that are fields of this hop only; `close`, `keep-alive` and `upgrade` are options. */
export interface ConnectionOptions {
  readonly closes: boolean
  readonly keepsAlive: boolean
  readonly upgrades: boolean
  readonly named: readonly string[]
}

const noOptions: ConnectionOptions = { closes: false, keepsAlive: false, upgrades: false, named: [] }

/** Reads the `Connection` fields together (RFC 9110 §7.6.1). */
export function readConnection(values: readonly string[]): ConnectionOptions {
  if (values.length === 0) return noOptions
  const options = values.join(',').toLowerCase().split(',')
  const named = options.map((option) => option.trim()).filter((option) => option !== '')
  return {
    closes: named.includes('close'),
    keepsAlive: named.includes('keep-alive'),
    upgrades: named.includes('upgrade'),
    named: named.filter((name) => name !== 'close' && name !== 'keep-alive' && name !== 'upgrade'),
  }
}

export function dropNamed(fields: readonly HeaderField[], named: readonly string[]): void {
  if (named.length === 0) return
  for (const field of fields) if (named.includes(field.name)) field.isKept = false
}

/** How a message's body is delimited. */
export type BodyFraming =
  | { readonly kind: 'none' }
  | { readonly kind: 'length'; readonly bytes: number }
  | { readonly kind: 'chunked' }
  | { readonly kind: 'until_close' }

export const noBody: BodyFraming = { kind: 'none' }
export const chunkedBody: BodyFraming = { kind: 'chunked' }
export const bodyUntilClose: BodyFraming = { kind: 'until_close' }

/** Digits only, and few enough to be exact in a double. */
export function readContentLength(value: string): number | undefined {
  return /^\d{1,15}$/.test(value) ? Number(value) : undefined
}
