import {
  type BodyFraming,
  bodyUntilClose,
  chunkedBody,
  dropNamed,
  type HeaderField,
  hasForbiddenBytes,
  keptLines,
  noBody,
  readConnection,
  readContentLength,
  scanFields,
} from './header-fields.ts'

/** An app's response head after its checks. */
export interface ResponseHead {
  readonly status: number
  /** ` 200 OK`: from the space after the version to the line's end. */
  readonly statusText: string
  readonly kept: string
  readonly body: BodyFraming
  /** What `Content-Length` said; tells the size of a HEAD's missing body too. */
  readonly contentLength: number | undefined
  /** Whether the connection may carry another request. */
  readonly keepsAlive: boolean
  /** `Keep-Alive: timeout=N` in ms. */
  readonly idleHintMs: number | undefined
  readonly upgrade: string | undefined
  readonly isEventStream: boolean
}

/** Fields that end at this hop. */
const hopFields: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'transfer-encoding',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'upgrade',
])

interface NotedFields {
  readonly lengths: string[]
  readonly encodings: string[]
  readonly connections: string[]
  keepAlive: string | undefined
  upgrade: string | undefined
  contentType: string | undefined
}

/** Reads a response's head (as `checkRequest`); undefined when it is malformed or ambiguous: the app's answer is a 502 then. */
export function checkResponse(head: string, method: string): ResponseHead | undefined {
  const line = /^HTTP\/1\.([01])( (\d{3})(?: [^\r]*)?)\r\n/.exec(head)
  if (!line || hasForbiddenBytes(head)) return undefined
  const fields = scanFields(head, line[0].length)
  const status = Number(line[3])
  if (!fields || status < 100 || status > 599) return undefined
  const noted = noteFields(head, fields)
  const contentLength = lengthOf(noted.lengths)
  const body = framingOf(noted, { status, method, contentLength })
  if (contentLength === false || body === undefined) return undefined
  const connection = readConnection(noted.connections)
  dropNamed(fields, connection.named)
  const isReusable = line[1] === '1' ? !connection.closes : connection.keepsAlive && !connection.closes
  return {
    status,
    statusText: line[2] ?? '',
    kept: keptLines(head, fields),
    body,
    contentLength,
    keepsAlive: isReusable && body.kind !== 'until_close',
    idleHintMs: idleHint(noted.keepAlive),
    upgrade: status === 101 ? noted.upgrade : undefined,
    isEventStream: noted.contentType?.startsWith('text/event-stream') ?? false,
  }
}

function noteFields(head: string, fields: readonly HeaderField[]): NotedFields {
  const noted: NotedFields = {
    lengths: [],
    encodings: [],
    connections: [],
    keepAlive: undefined,
    upgrade: undefined,
    contentType: undefined,
  }
  for (const field of fields) {
    const { name } = field
    if (hopFields.has(name)) field.isKept = false
    else if (name !== 'content-type') continue
    noteValue(noted, name, head.slice(field.valueStart, field.valueEnd))
  }
  return noted
}

function noteValue(noted: NotedFields, name: string, value: string): void {
  if (name === 'content-length') noted.lengths.push(value)
  else if (name === 'transfer-encoding') noted.encodings.push(value)
  else if (name === 'connection') noted.connections.push(value)
  else if (name === 'keep-alive') noted.keepAlive = value
  else if (name === 'upgrade') noted.upgrade = value
  else if (name === 'content-type') noted.contentType = value
}

/** False: malformed, or said twice. */
function lengthOf(lengths: readonly string[]): number | undefined | false {
  if (lengths.length === 0) return undefined
  return lengths.length === 1 ? (readContentLength(lengths[0] ?? '') ?? false) : false
}

/** RFC 9112 §6.3. */
function framingOf(
  noted: NotedFields,
  { status, method, contentLength }: { status: number; method: string; contentLength: number | undefined | false },
): BodyFraming | undefined {
  if (noted.encodings.length > 0) {
    const isChunked = noted.encodings.length === 1 && noted.encodings[0]?.toLowerCase() === 'chunked'
    if (!isChunked || contentLength !== undefined) return undefined
  }
  if (method === 'HEAD' || status < 200 || status === 204 || status === 304) return noBody
  if (noted.encodings.length > 0) return chunkedBody
  if (contentLength === undefined) return bodyUntilClose
  return { kind: 'length', bytes: contentLength || 0 }
}

function idleHint(keepAlive: string | undefined): number | undefined {
  const seconds = keepAlive === undefined ? undefined : /(?:^|[,\s])timeout=(\d{1,6})/i.exec(keepAlive)?.[1]
  return seconds === undefined ? undefined : Number(seconds) * 1000
}
