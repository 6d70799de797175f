import type { Endpoint } from '../endpoint.ts'
import { ApiError, apiErrorOf, PathParameterError, UnreachableError } from './api-error.ts'

export interface ClientOptions {
  /** `http://localhost:4400`; a trailing slash does not matter. */
  readonly baseUrl: string
  readonly token?: string | undefined
  readonly fetch?: typeof globalThis.fetch | undefined
  /** How often a safe or idempotent call is tried again when no answer comes or the server is away (503). Default 2. */
  readonly retries?: number | undefined
  /** For a whole call that is no upload and no stream. Default 60 s. */
  readonly timeoutMs?: number | undefined
  /** Wait before the first new try or connection; doubles. Default 200 ms. */
  readonly retryDelayMs?: number | undefined
  /** A stream without even a comment for so long is taken for dead and connected again. Default 45 s. */
  readonly streamIdleMs?: number | undefined
  /** A stream that cannot be connected again for so long ends with the error. Default 60 s. */
  readonly streamGiveUpMs?: number | undefined
}

/** What a call sends, before its types are known. */
export interface RawInput {
  readonly params?: Readonly<Record<string, unknown>>
  readonly query?: Readonly<Record<string, unknown>>
  readonly body?: unknown
  readonly upload?: Upload
  readonly ifMatch?: string | undefined
  readonly idempotencyKey?: string | undefined
  readonly lastEventId?: string | undefined
  readonly signal?: AbortSignal | undefined
}

export interface Upload {
  readonly content: ReadableStream<Uint8Array> | Uint8Array<ArrayBuffer> | Blob
  readonly encoding?: 'gzip' | undefined
}

/** The URL of a call. Throws when a path parameter is missing or could change the path. */
export function urlOf(baseUrl: string, endpoint: Endpoint, input: RawInput): string {
  const path = endpoint.path.replaceAll(/\{([a-z_]+)\}/g, (_, name: string) => {
    const value = input.params?.[name]
    if (typeof value !== 'string' || value === '' || /^\.{1,2}$/.test(value) || !value.isWellFormed()) {
      throw new PathParameterError(endpoint.operationId, name, value)
    }
    return encodeURIComponent(value)
  })
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(input.query ?? {})) if (value !== undefined) query.set(name, String(value))
  const search = query.size > 0 ? `?${query}` : ''
  return `${baseUrl.replace(/\/+$/, '')}${path}${search}`
}

function headersOf(endpoint: Endpoint, input: RawInput, token: string | undefined): Headers {
  const headers = new Headers()
  const stream = 'mediaType' in endpoint.reply && endpoint.reply.mediaType === 'text/event-stream'
  headers.set('Accept', stream ? 'text/event-stream, application/json;q=0.5' : 'application/json')
  if (token) headers.set('Authorization', `Bearer ${token}`)
  if (endpoint.body) headers.set('Content-Type', endpoint.body.mediaType)
  if (input.upload?.encoding) headers.set('Content-Encoding', input.upload.encoding)
  if (input.ifMatch) headers.set('If-Match', input.ifMatch)
  if (input.idempotencyKey) headers.set('Idempotency-Key', `"${input.idempotencyKey}"`)
  if (input.lastEventId) headers.set('Last-Event-ID', input.lastEventId)
  return headers
}

/** Sends once. Resolves with a success; throws `ApiError`, `UnreachableError`, or the signal's reason. */
export async function sendOnce(options: ClientOptions, endpoint: Endpoint, input: RawInput): Promise<Response> {
  const url = urlOf(options.baseUrl, endpoint, input)
  const request: RequestInit & { duplex?: 'half' } = {
    method: endpoint.method,
    headers: headersOf(endpoint, input, options.token),
    // a redirected write would arrive as a GET
    redirect: endpoint.method === 'GET' ? 'follow' : 'error',
    ...(input.signal ? { signal: input.signal } : {}),
    ...(input.upload ? { body: input.upload.content, duplex: 'half' } : {}),
    ...(input.body === undefined ? {} : { body: JSON.stringify(input.body) }),
  }
  let response: Response
  try {
    response = await (options.fetch ?? globalThis.fetch)(url, request)
  } catch (error) {
    if (input.signal?.aborted) throw input.signal.reason
    throw new UnreachableError(new URL(url).origin, error)
  }
  if (response.ok) return response
  throw await apiErrorOf(response)
}

/** Sends, and again while that is safe and may help. */
export async function send(options: ClientOptions, endpoint: Endpoint, input: RawInput): Promise<Response> {
  const safe = endpoint.method === 'GET' || input.idempotencyKey !== undefined
  const tries = safe && !input.upload ? (options.retries ?? 2) : 0
  for (let failed = 0; ; failed++) {
    try {
      return await sendOnce(options, endpoint, input)
    } catch (error) {
      if (failed >= tries || !mayPass(error)) throw error
      await pause(delayOf(options, error, failed), input.signal)
    }
  }
}

/** Whether the same request may succeed a moment later. */
export function mayPass(error: unknown): boolean {
  if (error instanceof UnreachableError) return true
  return error instanceof ApiError && (error.status === 503 || error.code === 'idempotency_key_in_use')
}

export function delayOf(options: ClientOptions, error: unknown, failed: number): number {
  const own = (options.retryDelayMs ?? 200) * 2 ** Math.min(failed, 6)
  const asked = error instanceof ApiError && error.retryAfterSeconds !== undefined ? error.retryAfterSeconds * 1000 : 0
  return Math.min(Math.max(own, asked), 10_000)
}

/** Resolves after `ms`; rejects with the signal's reason when it is aborted. */
export function pause(ms: number, signal?: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason)
    const stop = () => {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop)
      resolve()
    }, ms)
    signal?.addEventListener('abort', stop, { once: true })
  })
}
