import type { FastifyReply, FastifyRequest } from 'fastify'
import { isSystemError, UserError } from '../kernel/errors.ts'
import type { HttpDeps } from './http-server.ts'
import { errorMediaType } from './negotiate.ts'
import { isOwnFault, replyError } from './reply-error.ts'

/** Answers what was thrown, and logs it when it is a fault of Gantry's own. */
export function sendError(deps: HttpDeps, thrown: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { requestId = '', baseUrl = '' } = request.exchange ?? {}
  const error = isSystemError(thrown, 'FST_ERR_BAD_URL', 'FST_ERR_ASYNC_CONSTRAINT') ? badUrl() : thrown
  if (isOwnFault(error, deps)) {
    deps.logger.error({ err: error, requestId, method: request.method, url: request.raw.url }, 'a request failed')
  }
  const { status, headers, body } = replyError(error, { requestId, baseUrl, isUnavailable: deps.isUnavailable })
  const mediaType = errorMediaType(request.headers.accept)
  return reply
    .headers(headers)
    .code(status)
    .header('content-type', mediaType)
    .send(Buffer.from(JSON.stringify(body)))
}

function badUrl(): UserError {
  return new UserError('invalid_request', 'The path of the URL is not URL-encoded UTF-8.')
}

/** A path that is none. */
export function answerUnknown(request: FastifyRequest): never {
  const path = (request.raw.url ?? '').split('?', 1)[0] ?? ''
  throw new UserError('not_found', `There is nothing at ${request.method} ${path.slice(0, 200)}.`)
}
