import { checkTarget, type Target } from './check-target.ts'
import {
  type BodyFraming,
  chunkedBody,
  dropNamed,
  type HeaderField,
  hasForbiddenBytes,
  isToken,
  keptLines,
  noBody,
  readConnection,
  readContentLength,
  scanFields,
} from './header-fields.ts'
import { Refusal } from './refusal.ts'

/** A request's head after every check: what is left is unambiguous and is sent on in one spelling only. */
export interface RequestHead {
  readonly method: string
  /** Origin form or `*`; begins with exactly one slash. */
  readonly target: string
  readonly isHttp10: boolean
  /** In lower case, without port and final dot: the key of the table. Empty when an HTTP/1.0 client sent none. */
  readonly host: string
  /** The `Host` value as it came. */
  readonly authority: string
  /** Field lines that travel on as they are: no framing, no field of this hop, none that the router writes itself. */
  readonly kept: string
  readonly body: BodyFraming
  readonly keepsAlive: boolean
  readonly expectsContinue: boolean
  /** The protocol of an upgrade that may be passed on. */
  readonly upgrade: string | undefined
  /** The client's own request id, when it has the right form. */
  readonly requestId: string | undefined
  readonly prefersHtml: boolean
}

export interface RequestLimits {
  readonly maxFields: number
}

/**
 * Reads and checks a head: request line and field lines, each with its CRLF, without the empty line; latin1. Refuses
 * whatever two servers could read differently (RFC 9112 §11, request smuggling), rather than repairing it.
 */
export function checkRequest(head: string, limits: RequestLimits): RequestHead | Refusal {
  if (hasForbiddenBytes(head)) return new Refusal(400, 'The request head holds characters that are not allowed.')
  const line = readRequestLine(head)
  if (line instanceof Refusal) return line
  const fields = scanFields(head, line.end)
  if (!fields) return new Refusal(400, 'A header line is malformed.')
  if (fields.length > limits.maxFields) return new Refusal(431, 'The request has too many headers.')
  const noted = noteFields(head, fields)
  if (noted instanceof Refusal) return noted
  const body = checkFraming(noted, line.isHttp10)
  if (body instanceof Refusal) return body
  const target = checkTarget(line.method, line.target, { hosts: noted.hosts, isHttp10: line.isHttp10 })
  if (target instanceof Refusal) return target
  return assemble(head, { line, fields, noted, body, target })
}

interface RequestLine {
  readonly method: string
  readonly target: string
  readonly isHttp10: boolean
  readonly end: number
}

function readRequestLine(head: string): RequestLine | Refusal {
  const end = head.indexOf('\r')
  const first = head.indexOf(' ')
  const second = head.indexOf(' ', first + 1)
  if (first === -1 || second === -1 || second > end) return new Refusal(400, 'The request line is malformed.')
  const method = head.slice(0, first)
  if (!isToken(method) || method.length > 32) return new Refusal(400, 'The method is malformed.')
  const version = head.slice(second + 1, end)
  if (version !== 'HTTP/1.1' && version !== 'HTTP/1.0') {
    const isVersion = /^HTTP\/\d\.\d$/.test(version)
    return isVersion
      ? new Refusal(505, 'This server speaks HTTP/1.1 and HTTP/1.0.')
      : new Refusal(400, 'The request line is malformed.')
  }
  return { method, target: head.slice(first + 1, second), isHttp10: version === 'HTTP/1.0', end: end + 2 }
}

interface NotedFields {
  readonly hosts: string[]
  readonly lengths: string[]
  readonly encodings: string[]
  readonly connections: string[]
  readonly upgrades: string[]
  expect: string | undefined
  requestId: string | undefined
  accept: string | undefined
}

type FieldNote = 'host' | 'length' | 'encoding' | 'connection' | 'upgrade' | 'expect' | 'requestId' | 'drop'

/** Fields that end at this hop or that the router writes itself; any `x-forwarded-…` ends here as well. */
const fieldNotes: ReadonlyMap<string, FieldNote> = new Map([
  ['host', 'host'],
  ['content-length', 'length'],
  ['transfer-encoding', 'encoding'],
  ['connection', 'connection'],
  ['upgrade', 'upgrade'],
  ['expect', 'expect'],
  ['x-request-id', 'requestId'],
  ['x-request-start', 'drop'],
  ['forwarded', 'drop'],
  ['x-real-ip', 'drop'],
  ['keep-alive', 'drop'],
  ['proxy-connection', 'drop'],
  ['proxy-authenticate', 'drop'],
  ['proxy-authorization', 'drop'],
  ['te', 'drop'],
  ['trailer', 'drop'],
  ['http2-settings', 'drop'],
])

function isForwardedName(name: string): boolean {
  return name.startsWith('x-forwarded-')
}

function noteFields(head: string, fields: readonly HeaderField[]): NotedFields | Refusal {
  const noted: NotedFields = {
    hosts: [],
    lengths: [],
    encodings: [],
    connections: [],
    upgrades: [],
    expect: undefined,
    requestId: undefined,
    accept: undefined,
  }
  for (const field of fields) {
    const { name } = field
    const note = fieldNotes.get(name)
    if (note === undefined) {
      if (name === 'accept') noted.accept = head.slice(field.valueStart, field.valueEnd)
      else if (isForwardedName(name)) field.isKept = false
      else if (name.includes('_') && isAlias(name))
        return new Refusal(400, 'A header name holds an underscore where the router writes a hyphen.')
      continue
    }
    field.isKept = false
    if (note !== 'drop') noteValue(noted, note, head.slice(field.valueStart, field.valueEnd))
  }
  return noted
}

/** Many servers read `X_Forwarded_For` as `X-Forwarded-For`: it would be taken for the router's word. */
function isAlias(name: string): boolean {
  const plain = name.replaceAll('_', '-')
  return fieldNotes.has(plain) || isForwardedName(plain)
}

function noteValue(noted: NotedFields, note: Exclude<FieldNote, 'drop'>, value: string): void {
  switch (note) {
    case 'host':
      noted.hosts.push(value)
      break
    case 'length':
      noted.lengths.push(value)
      break
    case 'encoding':
      noted.encodings.push(value)
      break
    case 'connection':
      noted.connections.push(value)
      break
    case 'upgrade':
      noted.upgrades.push(value)
      break
    case 'expect':
      noted.expect = value
      break
    case 'requestId':
      if (/^[A-Za-z0-9_.-]{8,128}$/.test(value)) noted.requestId = value
  }
}

function checkFraming(noted: NotedFields, isHttp10: boolean): BodyFraming | Refusal {
  const { lengths, encodings } = noted
  if (noted.expect !== undefined && noted.expect.toLowerCase() !== '100-continue') {
    return new Refusal(417, 'The only expectation that can be met is 100-continue.')
  }
  if (encodings.length > 0) {
    if (isHttp10) return new Refusal(400, 'HTTP/1.0 has no Transfer-Encoding.')
    if (lengths.length > 0) return new Refusal(400, 'Content-Length and Transfer-Encoding exclude each other.')
    if (encodings.length > 1 || encodings[0]?.toLowerCase() !== 'chunked') {
      return new Refusal(400, 'The only Transfer-Encoding is chunked.')
    }
    return chunkedBody
  }
  if (lengths.length === 0) return noBody
  const bytes = lengths.length === 1 ? readContentLength(lengths[0] ?? '') : undefined
  if (bytes === undefined) return new Refusal(400, 'Content-Length is malformed.')
  return { kind: 'length', bytes }
}

interface Checked {
  readonly line: RequestLine
  readonly fields: readonly HeaderField[]
  readonly noted: NotedFields
  readonly body: BodyFraming
  readonly target: Target
}

function assemble(head: string, { line, fields, noted, body, target }: Checked): RequestHead {
  const connection = readConnection(noted.connections)
  dropNamed(fields, connection.named)
  return {
    method: line.method,
    target: target.path,
    isHttp10: line.isHttp10,
    host: target.host,
    authority: target.authority,
    kept: keptLines(head, fields),
    body,
    keepsAlive: line.isHttp10 ? connection.keepsAlive && !connection.closes : !connection.closes,
    expectsContinue: noted.expect !== undefined && !line.isHttp10 && body.kind !== 'none',
    upgrade: connection.upgrades && !line.isHttp10 && body.kind === 'none' ? allowedUpgrade(noted.upgrades) : undefined,
    requestId: noted.requestId,
    prefersHtml: noted.accept?.includes('text/html') ?? false,
  }
}

/** HTTP/2 in the clear is not passed on: requests inside it would reach the app unseen. Other protocols are. */
function allowedUpgrade(upgrades: readonly string[]): string | undefined {
  const protocol = upgrades.length === 1 ? upgrades[0] : undefined
  return protocol === undefined || protocol === '' || /h2|http|tls/i.test(protocol) ? undefined : protocol
}
