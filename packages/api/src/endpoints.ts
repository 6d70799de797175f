import { appEndpoints } from './apps.ts'
import { auditEndpoints } from './audit.ts'
import { buildEndpoints } from './builds.ts'
import { configEndpoints } from './config.ts'
import { deployEndpoints } from './deploy-endpoints.ts'
import type { Endpoint } from './endpoint.ts'
import { environmentEndpoints } from './environments.ts'
import { type ErrorCode, errorCodes } from './errors.ts'
import { instanceEndpoints } from './instances.ts'
import { logEndpoints } from './logs.ts'
import { memberEndpoints } from './members.ts'
import { platformEndpoints } from './platform.ts'
import { releaseEndpoints } from './releases.ts'
import { sourceEndpoints } from './sources.ts'
import { tokenEndpoints } from './tokens.ts'

/** Every operation of the API, in the order of the document. */
export const endpoints: readonly Endpoint[] = [
  ...appEndpoints,
  ...environmentEndpoints,
  ...configEndpoints,
  ...sourceEndpoints,
  ...buildEndpoints,
  ...deployEndpoints,
  ...releaseEndpoints,
  ...instanceEndpoints,
  ...logEndpoints,
  ...tokenEndpoints,
  ...memberEndpoints,
  ...auditEndpoints,
  ...platformEndpoints,
]

const everywhere: readonly ErrorCode[] = [
  'invalid_request',
  'invalid_parameter',
  'unknown_parameter',
  'invalid_header',
  'unauthenticated',
  'forbidden',
  'not_acceptable',
  'uri_too_long',
  'rate_limited',
  'internal_error',
  'service_unavailable',
]

/** Every code that an operation can answer: what its form brings along, and its own; in the order of the catalogue. */
export function errorsOf(endpoint: Endpoint): readonly ErrorCode[] {
  const codes = new Set<ErrorCode>([...everywhere, ...(endpoint.errors ?? [])])
  const { body, conditional, idempotent, params, query } = endpoint
  if (params) codes.add('not_found')
  if (query && Object.values(query.shape).some((field) => !field.safeParse(undefined).success))
    codes.add('missing_parameter')
  if (body) for (const code of ['unsupported_media_type', 'payload_too_large'] as const) codes.add(code)
  if (body && 'schema' in body) {
    for (const code of ['invalid_json', 'missing_field', 'invalid_field', 'unknown_field'] as const) codes.add(code)
  }
  if (conditional === 'if_match') codes.add('etag_mismatch')
  if (idempotent) for (const code of ['idempotency_key_reused', 'idempotency_key_in_use'] as const) codes.add(code)
  return errorCodes.filter((code) => codes.has(code))
}
