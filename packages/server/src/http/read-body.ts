import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Readable, Transform } from 'node:stream'
import { createGunzip } from 'node:zlib'
import type { Endpoint } from '@gantry/api'
import { UserError } from '../kernel/errors.ts'

export const maxJsonBytes = 2 * 1024 * 1024
const jsonDeadlineMs = 30_000

/** Throws `unsupported_media_type` unless the body is said to be what the endpoint takes. */
export function checkMediaType(request: IncomingMessage, mediaType: string, encodings: readonly string[]): void {
  const [type = '', ...parameters] = (request.headers['content-type'] ?? '')
    .split(';')
    .map((text) => text.trim().toLowerCase())
  const charset = parameters
    .find((parameter) => parameter.startsWith('charset='))
    ?.slice(8)
    .replaceAll('"', '')
  if (type !== mediaType || (charset !== undefined && charset !== 'utf-8')) {
    throw unsupported(
      `This operation takes ${mediaType}, and the body is ${type || 'not said to be anything'}.`,
      'Content-Type',
    )
  }
  const encoding = request.headers['content-encoding']?.toLowerCase() ?? 'identity'
  if (encodings.includes(encoding)) return
  throw unsupported(`The body's encoding ${encoding} is not one of ${encodings.join(', ')}.`, 'Content-Encoding')
}

/** The whole body, at most `maxJsonBytes`, within half a minute. */
export async function readSmallBody(request: IncomingMessage, response: ServerResponse): Promise<Buffer> {
  checkDeclaredLength(request, maxJsonBytes)
  sendContinue(request, response)
  const timer = setTimeout(() => request.destroy(new Error('the body did not arrive in time')), jsonDeadlineMs)
  try {
    const chunks: Buffer[] = []
    let size = 0
    for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      size += chunk.length
      if (size > maxJsonBytes) throw tooLarge(maxJsonBytes)
      chunks.push(chunk)
    }
    return Buffer.concat(chunks)
  } finally {
    clearTimeout(timer)
  }
}

/** The body as a stream, decompressed, that fails with `payload_too_large` past the endpoint's limit. */
export function openUpload(
  request: IncomingMessage,
  response: ServerResponse,
  endpoint: Endpoint,
): Readable | undefined {
  const { body } = endpoint
  if (!body || !('maxBytes' in body)) return undefined
  checkMediaType(request, body.mediaType, ['identity', 'gzip'])
  checkDeclaredLength(request, body.maxBytes)
  sendContinue(request, response)
  const limited = limitTo(body.maxBytes)
  request.once('error', (error) => limited.destroy(error))
  request.once('aborted', () => limited.destroy(new Error('the client has gone')))
  if (request.headers['content-encoding']?.toLowerCase() !== 'gzip') return request.pipe(limited)
  const gunzip = createGunzip()
  gunzip.once('error', (cause) =>
    limited.destroy(new UserError('archive_invalid', 'The body is said to be gzip, and is not.', { cause })),
  )
  limited.once('close', () => gunzip.destroy())
  return request.pipe(gunzip).pipe(limited)
}

function limitTo(maxBytes: number): Transform {
  let size = 0
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      size += chunk.length
      if (size > maxBytes) done(tooLarge(maxBytes))
      else done(null, chunk)
    },
  })
}

function checkDeclaredLength(request: IncomingMessage, maxBytes: number): void {
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw tooLarge(maxBytes)
}

/** A client that asks first (`Expect: 100-continue`) sends its body only now, when nothing speaks against it. */
function sendContinue(request: IncomingMessage, response: ServerResponse): void {
  if (request.headers.expect?.toLowerCase() === '100-continue') response.writeContinue()
}

function tooLarge(maxBytes: number): UserError {
  return new UserError(
    'payload_too_large',
    `The body has more than ${maxBytes} bytes, the most that this operation takes.`,
  )
}

function unsupported(message: string, header: string): UserError {
  return new UserError('unsupported_media_type', message, { target: { type: 'header', name: header } })
}
