import type { IncomingMessage } from 'node:http'
import type { Endpoint } from '@gantry/api'
import type { CallHeaders } from '../access/index.ts'
import { UserError } from '../kernel/errors.ts'

const entityTags = /^\s*(?:\*|(?:W\/)?"[\x21\x23-\x7e]*"(?:\s*,\s*(?:W\/)?"[\x21\x23-\x7e]*")*)\s*$/
const conditionalHeaders = [
  'if-match',
  'if-none-match',
  'if-modified-since',
  'if-unmodified-since',
  'if-range',
] as const

/**
 * The headers that a handler may need. A precondition that the operation would not check is refused on a write: the
 * caller relies on it. Throws `invalid_header`.
 */
export function readHeaders(request: IncomingMessage, endpoint: Endpoint): CallHeaders {
  const isWrite = endpoint.method !== 'GET'
  for (const name of conditionalHeaders) {
    const value = request.headers[name]?.toString()
    if (value === undefined) continue
    const isHonoured = name === 'if-match' ? endpoint.conditional === 'if_match' : !isWrite
    if (isWrite && !isHonoured) throw invalid(name, 'is not supported by this operation, so it cannot be relied on')
    if (name.endsWith('match') && !entityTags.test(value))
      throw invalid(name, 'must be `*` or a list of quoted entity tags')
  }
  const lastEventId = request.headers['last-event-id']
  if (typeof lastEventId === 'string' && !/^[!-~]{1,128}$/.test(lastEventId)) {
    throw invalid('last-event-id', 'must be the id of an event')
  }
  const ifMatch = isWrite ? request.headers['if-match'] : undefined
  return {
    ...(ifMatch === undefined ? {} : { ifMatch }),
    ...(typeof lastEventId === 'string' ? { lastEventId } : {}),
  }
}

/**
 * The `Idempotency-Key` of a POST: a string of RFC 8941, or the bare key. Refused where an operation would run twice
 * all the same.
 */
export function readIdempotencyKey(request: IncomingMessage, endpoint: Endpoint): string | undefined {
  const value = request.headers['idempotency-key']
  if (value === undefined || endpoint.method !== 'POST') return undefined
  if (!endpoint.idempotent) throw invalid('idempotency-key', 'is not supported by this operation')
  const [, quoted, bare] = /^\s*(?:"([!#-~ ]{1,255})"|([!#-~]{1,255}))\s*$/.exec(String(value)) ?? []
  const key = quoted ?? bare
  if (key === undefined) throw invalid('idempotency-key', 'must have 1 to 255 printable characters, quoted or bare')
  return key
}

function invalid(name: string, why: string): UserError {
  const header = name.replace(/(^|-)[a-z]/g, (letter) => letter.toUpperCase())
  return new UserError('invalid_header', `The header ${header} ${why}.`, { target: { type: 'header', name: header } })
}
