import type { IncomingMessage } from 'node:http'
import { pipeline, type Readable, Transform } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { UserError } from '../kernel/errors.ts'

/** What a fetch may say: the commits it wants and those it has. */
export const maxFetchBytes = 32 * 1024 * 1024

/** The body as git sent it, unzipped, and cut off with `payload_too_large`. Without a limit git itself has one. */
export function openRequestBody(request: IncomingMessage, maxBytes: number | undefined): Readable {
  const encoding = request.headers['content-encoding']?.toLowerCase()
  const isZipped = encoding === 'gzip' || encoding === 'x-gzip'
  if (!isZipped && encoding !== undefined && encoding !== 'identity') {
    throw new UserError('unsupported_media_type', `A body with the encoding ${encoding} cannot be read: gzip can.`)
  }
  const unzipped = isZipped ? joined(request, createGunzip()) : request
  return maxBytes === undefined ? unzipped : joined(unzipped, limit(maxBytes))
}

function joined(source: Readable, transform: Transform): Transform {
  pipeline(source, transform, () => undefined) // an error reaches whoever reads the transform
  return transform
}

function limit(maxBytes: number): Transform {
  let size = 0
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      size += chunk.length
      if (size <= maxBytes) done(null, chunk)
      else done(new UserError('payload_too_large', `The request has more than ${maxBytes} bytes.`))
    },
  })
}
