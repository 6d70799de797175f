import { connect } from 'node:net'

export interface RawRequest {
  readonly method: string
  /** As it stands in the request line. */
  readonly target: string
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body?: string | Buffer
}

export interface RawAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

const deadlineMs = 10_000

/**
 * One request, byte for byte: no library in between refuses or tidies up what a hostile client sends. Of an endless stream
 * only the head is read. Rejects when the answer takes longer than the deadline or is no HTTP.
 */
export function exchange(port: number, request: RawRequest): Promise<RawAnswer> {
  const body = Buffer.from(request.body ?? '')
  const headers = [...request.headers, ['Connection', 'close'], ...lengthOf(request, body)]
  const head = [
    `${request.method} ${request.target} HTTP/1.1`,
    ...headers.map(([name, value]) => `${name}: ${value}`),
  ].join('\r\n')
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    const socket = connect(port, '127.0.0.1')
    const what = `${request.method} ${JSON.stringify(request.target.slice(0, 200))}`
    const timer = setTimeout(() => socket.destroy(new Error(`no answer within ${deadlineMs} ms: ${what}`)), deadlineMs)
    socket.on('data', (chunk) => {
      chunks.push(chunk)
      if (/^content-type: text\/event-stream/im.test(chunk.toString('latin1'))) socket.end()
    })
    let failure: Error | undefined
    socket.once('error', (error) => {
      failure = error
    })
    socket.once('close', () => {
      clearTimeout(timer)
      const answer = parseAnswer(Buffer.concat(chunks))
      if (answer) resolve(answer)
      else reject(failure ?? new Error(`no HTTP: ${what}`))
    })
    socket.write(Buffer.concat([Buffer.from(`${head}\r\n\r\n`), body]))
  })
}

function lengthOf({ method }: RawRequest, body: Buffer): [string, string][] {
  return body.length > 0 || method === 'POST' || method === 'PATCH' ? [['Content-Length', `${body.length}`]] : []
}

function parseAnswer(bytes: Buffer): RawAnswer | undefined {
  const end = bytes.indexOf('\r\n\r\n')
  const [first = '', ...lines] = bytes.subarray(0, end).toString('latin1').split('\r\n')
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(first)?.[1])
  if (end < 0 || !status) return undefined
  const headers = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  )
  const rest = bytes.subarray(end + 4)
  const isChunked = headers['transfer-encoding'] === 'chunked'
  return { status, headers, body: (isChunked ? joinChunks(rest) : rest).toString() }
}

function joinChunks(bytes: Buffer): Buffer {
  const chunks: Buffer[] = []
  let at = 0
  while (at < bytes.length) {
    const end = bytes.indexOf('\r\n', at)
    const size = Number.parseInt(bytes.subarray(at, end).toString('latin1'), 16)
    if (end < 0 || !size) break
    chunks.push(bytes.subarray(end + 2, end + 2 + size))
    at = end + 2 + size + 2
  }
  return Buffer.concat(chunks)
}

/** Percent-encodes everything that is not plain, half surrogates too, as a hostile client would. */
export function percentEncoded(text: string): string {
  return [...text]
    .map((char) => {
      if (/[A-Za-z0-9_.~-]/.test(char)) return char
      const code = char.codePointAt(0) ?? 0
      const isHalf = code >= 0xd800 && code <= 0xdfff
      const bytes = isHalf
        ? [0xe0 | (code >> 12), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63)]
        : [...Buffer.from(char)]
      return bytes.map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('')
    })
    .join('')
}
