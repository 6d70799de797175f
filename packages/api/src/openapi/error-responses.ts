import type { ErrorStatus } from '../errors.ts'
import { baseUrl } from '../examples/values.ts'
import { type Problem, toErrorContainer } from '../problems.ts'
import { replyHeaders } from './headers.ts'
import { type Json, type JsonObject, ref } from './json.ts'

interface ErrorResponse {
  readonly name: string
  readonly description: string
  readonly example: Problem
  readonly headers?: readonly string[]
}

/** One shared response a status; 405 belongs to no operation, since a method that is not documented is none. */
export const errorResponses: Readonly<Record<Exclude<ErrorStatus, 405>, ErrorResponse>> = {
  400: {
    name: 'BadRequest',
    description: 'The request is malformed, has an unknown field or parameter, or is invalid.',
    example: {
      code: 'invalid_parameter',
      message: '`limit` must be a whole number.',
      target: { type: 'parameter', name: 'limit' },
    },
  },
  401: {
    name: 'Unauthorized',
    description: 'The access token is absent, expired, revoked or unknown.',
    example: {
      code: 'unauthenticated',
      message: 'The access token has been revoked. Make another with `gantry tokens create`.',
    },
    headers: ['WWW-Authenticate'],
  },
  403: {
    name: 'Forbidden',
    description: 'The access token does not permit the operation.',
    example: { code: 'forbidden', message: 'The token lacks the permission that this operation requires.' },
  },
  404: {
    name: 'NotFound',
    description: 'The resource does not exist or is not visible to the caller.',
    example: { code: 'not_found', message: 'There is no `shop` here. `gantry apps list` shows what there is.' },
  },
  406: {
    name: 'NotAcceptable',
    description: 'The operation cannot answer in a media type that `Accept` allows.',
    example: {
      code: 'not_acceptable',
      message: 'This operation does not answer `text/csv`.',
      target: { type: 'header', name: 'Accept' },
    },
  },
  409: {
    name: 'Conflict',
    description: 'The request conflicts with the state of a resource, which the client can change.',
    example: { code: 'invalid_state', message: 'The state of the resource does not allow this. Read it again.' },
  },
  412: {
    name: 'PreconditionFailed',
    description: 'The resource has changed since the `ETag` given.',
    example: {
      code: 'etag_mismatch',
      message: 'The resource has changed meanwhile. Read it again and repeat the change.',
      target: { type: 'header', name: 'If-Match' },
    },
  },
  413: {
    name: 'ContentTooLarge',
    description: 'The body is too large.',
    example: { code: 'payload_too_large', message: 'The body has more than 1048576 bytes.' },
  },
  414: {
    name: 'UriTooLong',
    description: 'The URL is too long.',
    example: { code: 'uri_too_long', message: 'The URL has more than 8000 bytes.' },
  },
  415: {
    name: 'UnsupportedMediaType',
    description: 'The media type of the body is not supported.',
    example: {
      code: 'unsupported_media_type',
      message: 'This operation does not take `text/plain`.',
      target: { type: 'header', name: 'Content-Type' },
    },
  },
  429: {
    name: 'TooManyRequests',
    description: 'The rate limit is exceeded.',
    example: { code: 'rate_limited', message: 'Too many requests. Try again in 12 seconds.' },
    headers: ['Retry-After'],
  },
  500: {
    name: 'InternalServerError',
    description: 'An unexpected error. Report it with the value of `trace`.',
    example: {
      code: 'internal_error',
      message: 'Something went wrong inside Gantry. Report it with the value of `trace`.',
    },
  },
  503: {
    name: 'ServiceUnavailable',
    description: 'The control plane cannot answer right now. Running apps are not affected.',
    example: { code: 'service_unavailable', message: 'The database is starting. Try again in a second.' },
    headers: ['Retry-After'],
  },
}

/** The response components by name. */
export function errorResponseComponents(): JsonObject {
  return Object.fromEntries(
    Object.values(errorResponses).map((response) => {
      const value = toErrorContainer(baseUrl, '9daee671-916a-4678-850b-10b911f0236d', [
        response.example,
      ]) as unknown as Json
      const media = {
        schema: ref('schemas', 'ErrorContainer'),
        examples: { primary: { summary: response.description, value } },
      }
      return [
        response.name,
        {
          description: response.description,
          headers: replyHeaders(...(response.headers ?? [])),
          content: { 'application/json': media, 'application/problem+json': media },
        },
      ]
    }),
  )
}
