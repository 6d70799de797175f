import type { FastifyReply, FastifyRequest } from 'fastify'
import { isSystemError, UserError } from '../kernel/errors.ts'
import { openExchange } from './gate.ts'
import type { HttpDeps } from './http-server.ts'
import { errorMediaType } from './negotiate.ts'
import { isOwnFault, replyError } from './reply-error.ts'

/** Answers what was thrown, and logs it when it is a fault of Gantry's own. */
export function sendError(deps: HttpDeps, thrown: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (!request.exchange) openExchange(deps, request, reply, new AbortController().signal)
  const { requestId = '', baseUrl = '' } = request.exchange ?? {}
  const error = isSystemError(thrown, 'FST_ERR_BAD_URL', 'FST_ERR_ASYNC_CONSTRAINT') ? badUrl() : thrown
  if (isOwnFault(error, deps)) {
    deps.logger.error({ err: error, requestId, method: request.method, url: request.raw.url }, 'a request failed')
  }
  const { status, headers, body } = replyError(error, { requestId, baseUrl, isUnavailable: deps.isUnavailable })
  const mediaType = errorMediaType(request.headers.accept)
  return reply.headers(headers).code(status).header('content-type', mediaType).send(JSON.stringify(body))
}

function badUrl(): UserError {
  return new UserError('invalid_request', 'The path of the URL is not URL-encoded UTF-8.')
}

/** A path that is none: one slash too many at its end is a redirect, anything else does not exist. */
export function answerUnknown(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const [path = '', ...query] = (request.raw.url ?? '').split('?')
  const isReading = request.method === 'GET' || request.method === 'HEAD'
  if (isReading && /^\/[^/].*[^/]\/$/.test(path)) {
    const rest = query.length > 0 ? `?${query.join('?')}` : ''
    return reply
      .code(301)
      .header('location', `${request.exchange?.baseUrl}${path.slice(0, -1)}${rest}`)
      .send()
  }
  throw new UserError('not_found', `There is nothing at ${request.method} ${path.slice(0, 200)}.`)
}
