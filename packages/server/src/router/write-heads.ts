import type { RequestHead } from './check-request.ts'
import type { ResponseHead } from './check-response.ts'

/** What the router says about a request to the app, besides the request itself. */
export interface Forwarding {
  /** `X-Forwarded-For`, `-Proto` and `-Port` lines, each with its CRLF: the same for a whole connection. */
  readonly connectionLines: string
  readonly requestId: string
  readonly receivedAtMs: number
}

/** The lines of a client's connection. An IPv4 client of a socket that listens on `::` is written as IPv4. */
export function connectionLines(remoteAddress: string, localPort: number): string {
  const client = remoteAddress.startsWith('::ffff:') ? remoteAddress.slice(7) : remoteAddress
  return `X-Forwarded-For: ${client}\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Port: ${localPort}\r\n`
}

/** The head for the app: framing and fields of the hop are written anew, in one spelling. */
export function writeRequestHead(request: RequestHead, forwarding: Forwarding): string {
  const host = `Host: ${request.authority}\r\n`
  const forwarded =
    `${forwarding.connectionLines}X-Forwarded-Host: ${request.authority}\r\n` +
    `X-Request-ID: ${forwarding.requestId}\r\nX-Request-Start: ${forwarding.receivedAtMs}\r\n`
  return `${request.method} ${request.target} HTTP/1.1\r\n${host}${request.kept}${forwarded}${requestFraming(request)}\r\n`
}

function requestFraming(request: RequestHead): string {
  if (request.upgrade !== undefined) return `Connection: Upgrade\r\nUpgrade: ${request.upgrade}\r\n`
  const expect = request.expectsContinue ? 'Expect: 100-continue\r\n' : ''
  if (request.body.kind === 'length') return `Content-Length: ${request.body.bytes}\r\n${expect}`
  return request.body.kind === 'chunked' ? `Transfer-Encoding: chunked\r\n${expect}` : ''
}

export interface ReplyPlan {
  readonly text: string
  /** Whether the body goes out in the chunked coding. */
  readonly isChunked: boolean
  /** Whether the client's connection may carry another request. */
  readonly keepsAlive: boolean
}

/** The head for the client. `mayKeepAlive`: nothing on the router's side speaks against another request. */
export function planReply(request: RequestHead, response: ResponseHead, mayKeepAlive: boolean): ReplyPlan {
  const isSizeUnknown = response.body.kind === 'chunked' || response.body.kind === 'until_close'
  const isChunked = isSizeUnknown && !request.isHttp10
  const keepsAlive = mayKeepAlive && request.keepsAlive && (!isSizeUnknown || isChunked)
  const framing = isChunked ? 'Transfer-Encoding: chunked\r\n' : lengthLine(response)
  const text = `HTTP/1.1${response.statusText}\r\n${response.kept}${framing}${connectionLine(request, keepsAlive)}\r\n`
  return { text, isChunked, keepsAlive }
}

function lengthLine(response: ResponseHead): string {
  if (response.contentLength === undefined || response.status < 200 || response.status === 204) return ''
  return `Content-Length: ${response.contentLength}\r\n`
}

export function connectionLine(request: { readonly isHttp10: boolean }, keepsAlive: boolean): string {
  if (!keepsAlive) return 'Connection: close\r\n'
  return request.isHttp10 ? 'Connection: keep-alive\r\n' : ''
}

/** `100 Continue`, `103 Early Hints`. */
export function writeInterimHead(response: ResponseHead): string {
  return `HTTP/1.1${response.statusText}\r\n${response.kept}\r\n`
}

export function writeSwitchingHead(response: ResponseHead): string {
  return `HTTP/1.1${response.statusText}\r\n${response.kept}Connection: Upgrade\r\nUpgrade: ${response.upgrade}\r\n\r\n`
}
