import type { IncomingMessage, ServerResponse } from 'node:http'
import { isIPv6 } from 'node:net'
import { UserError } from '../kernel/errors.ts'

/** What is known of a request from its first moment on. */
export interface Exchange {
  readonly requestId: string
  readonly baseUrl: string
  /** Aborts when the client is gone or the server stops. */
  readonly abort: AbortController
}

/** Sent with every reply. Pages replace the content security policy with their own. */
export const commonHeaders: Readonly<Record<string, string>> = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
}

const requestIdForm = /^[A-Za-z0-9 ,_-]{8,1024}$/

/** The caller's request id when it is one, else a new one. */
export function requestIdOf(given: string | string[] | undefined, newId: () => string): string {
  return typeof given === 'string' && requestIdForm.test(given) ? given : newId()
}

/** What every `href` begins with: the host as the caller named it. Never from a forwarded header. */
export function baseUrlOf(request: IncomingMessage, port: number): string {
  const host = request.headers.host
  return host !== undefined && isHost(host) ? `http://${host.toLowerCase()}` : `http://localhost:${port}`
}

/** Throws `invalid_request` on two `Host` headers, or one that is no host. */
export function checkHost(request: IncomingMessage): void {
  const { rawHeaders } = request
  const count = rawHeaders.filter((name, index) => index % 2 === 0 && name.toLowerCase() === 'host').length
  const host = request.headers.host
  if (count <= 1 && (host === undefined || host === '' || isHost(host))) return
  throw new UserError('invalid_request', 'The header Host must stand there once, and be a host name or address.')
}

function isHost(host: string): boolean {
  const [, name = '', address] = /^(?:([A-Za-z0-9._-]{1,253})|\[([0-9A-Fa-f:.]{2,45})\])(?::\d{1,5})?$/.exec(host) ?? []
  const isForm = name !== '' || (address !== undefined && isIPv6(address))
  return isForm && URL.canParse(`http://${host}`) // a number beyond all addresses, a port beyond all ports
}

/** The first 8000 bytes are enough for everybody (IBM's limit). */
export function checkUrlLength(request: IncomingMessage): void {
  const length = Buffer.byteLength(request.url ?? '')
  if (length <= 8000) return
  throw new UserError('uri_too_long', `The URL has ${length} bytes; 8000 are the most.`)
}

/** An abort controller that ends with the client's connection or with the server. */
export function abortWith(response: ServerResponse, stopping: AbortSignal): AbortController {
  const abort = new AbortController()
  const stop = () => abort.abort(stopping.reason)
  if (stopping.aborted) stop()
  else stopping.addEventListener('abort', stop, { once: true })
  response.once('close', () => {
    stopping.removeEventListener('abort', stop)
    if (!response.writableFinished) abort.abort(new Error('the client has gone'))
  })
  return abort
}

/**
 * Lets a client that is still sending finish or give up, so that it can read the reply: up to `ms`, then the connection is
 * cut. Nothing of it is kept.
 */
export function drainAfterReply(request: IncomingMessage, response: ServerResponse, ms = 2000): void {
  response.once('finish', () => {
    if (request.complete || request.destroyed) return
    request.resume()
    const timer = setTimeout(() => request.socket.destroy(), ms)
    request.once('close', () => clearTimeout(timer))
  })
}
