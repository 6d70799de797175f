import { baseUrl, ids } from '../examples/values.ts'
import { type JsonObject, ref } from './json.ts'

/** Headers of replies, and header parameters, that operations refer to. */

const requestId = '9daee671-916a-4678-850b-10b911f0236d'

export const headerComponents: JsonObject = {
  'X-Request-ID': {
    description: 'The id of this request, echoed or generated; equal to `trace` in an error.',
    required: true,
    schema: { type: 'string', pattern: '^[A-Za-z0-9 ,_-]+$', minLength: 8, maxLength: 1024 },
    example: requestId,
  },
  Location: {
    description: 'The URL of the resource.',
    required: true,
    schema: { type: 'string', format: 'url', minLength: 1, maxLength: 2048 },
    example: `${baseUrl}/v1/apps/${ids.app}`,
  },
  'Content-Location': {
    description: 'The URL of the resource in the body; equal to `Location`.',
    required: true,
    schema: { type: 'string', format: 'url', minLength: 1, maxLength: 2048 },
    example: `${baseUrl}/v1/apps/${ids.app}`,
  },
  ETag: {
    description: 'The strong entity tag of the resource.',
    required: true,
    schema: ref('schemas', 'EntityTag'),
    example: '"9k2m4x7q1w3e5r8t"',
  },
  'Retry-After': {
    description: 'The number of seconds to wait before the next request.',
    required: true,
    schema: { type: 'integer', format: 'int32', minimum: 0, maximum: 86_400 },
    example: 1,
  },
  RateLimit: {
    description: 'The remaining quota (IETF RateLimit header fields draft).',
    required: true,
    schema: { type: 'string', pattern: '^"[a-z]+";r=[0-9]+;t=[0-9]+$', minLength: 10, maxLength: 64 },
    example: '"default";r=598;t=31',
  },
  'RateLimit-Policy': {
    description: 'The quota policy (IETF RateLimit header fields draft).',
    required: true,
    schema: { type: 'string', pattern: '^"[a-z]+";q=[0-9]+;w=[0-9]+$', minLength: 10, maxLength: 64 },
    example: '"default";q=600;w=60',
  },
  'WWW-Authenticate': {
    description: 'The authentication challenge (RFC 6750).',
    required: true,
    schema: { type: 'string', pattern: '^Bearer.*$', minLength: 6, maxLength: 512 },
    example: 'Bearer realm="gantry", error="invalid_token"',
  },
  'Cache-Control': {
    description: 'The reply holds secrets and is not to be stored.',
    required: true,
    schema: { type: 'string', pattern: '^no-store$', minLength: 8, maxLength: 8 },
    example: 'no-store',
  },
}

/** References to headers by name; those that every reply has come first. */
export function replyHeaders(...names: readonly string[]): JsonObject {
  const all = ['X-Request-ID', 'RateLimit', 'RateLimit-Policy', ...names]
  return Object.fromEntries(all.map((name) => [name, ref('headers', name)]))
}

export const headerParameters: JsonObject = {
  IfMatch: {
    name: 'If-Match',
    in: 'header',
    description: 'The `ETag` that the change is based on.',
    schema: ref('schemas', 'EntityTag'),
    example: '"9k2m4x7q1w3e5r8t"',
  },
  IfNoneMatch: {
    name: 'If-None-Match',
    in: 'header',
    description: 'The `ETag` of the cached copy.',
    schema: ref('schemas', 'EntityTag'),
    example: '"9k2m4x7q1w3e5r8t"',
  },
  IdempotencyKey: {
    name: 'Idempotency-Key',
    in: 'header',
    description:
      'A unique key made by the client (UUID recommended) that makes a retry safe for 24 hours. A string in the sense of RFC 8941, so in quotes; a bare value means the same key.',
    schema: { type: 'string', pattern: '^"?[A-Za-z0-9_-]+"?$', minLength: 8, maxLength: 255 },
    example: '"8e03978e-40d5-43e8-bc93-6894a57f9324"',
  },
  LastEventId: {
    name: 'Last-Event-ID',
    in: 'header',
    description: 'The id of the last line received, to go on after it.',
    schema: { type: 'string', pattern: '^[0-9]+-[0-9]+$', minLength: 3, maxLength: 40 },
    example: '00000001-4096',
  },
}
