import { createHash } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Principal } from '../access/index.ts'
import { createRateLimit, type RateLimit, tooMany } from '../kernel/rate-limit.ts'
import {
  abortWith,
  baseUrlOf,
  checkHost,
  checkUrlLength,
  commonHeaders,
  drainAfterReply,
  requestIdOf,
} from './exchange.ts'
import type { MountedDeps } from './http-server.ts'

/** Open to everybody, below `/v1/`. */
const publicPath = '/v1/openapi.json'

/**
 * What every request passes first, in the order of the conventions: 429, 401, 414; a handler checks the rest. Nothing of a
 * body is read here.
 */
export function createGate(deps: MountedDeps, stopping: AbortSignal) {
  const requests = createRateLimit(deps.clock, deps.requestsPerMinute ?? 6000)
  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> => {
    openExchange(deps, request, reply, stopping)
    countRequest(requests, request, reply)
    checkHost(request.raw)
    const path = (request.raw.url ?? '').split('?', 1)[0] ?? ''
    if (path.startsWith('/v1/') && path !== publicPath) request.principal = await authenticate(deps, request)
    checkUrlLength(request.raw)
    const location = withoutLastSlash(request)
    return location === undefined ? undefined : reply.code(301).header('location', location).send()
  }
}

function openExchange(deps: MountedDeps, request: FastifyRequest, reply: FastifyReply, stopping: AbortSignal): void {
  const requestId = requestIdOf(request.headers['x-request-id'], deps.newRequestId)
  const baseUrl = baseUrlOf(request.raw, deps.port)
  request.exchange = { requestId, baseUrl, abort: abortWith(reply.raw, stopping) }
  drainAfterReply(request.raw, reply.raw)
  reply.headers({ ...commonHeaders, 'x-request-id': requestId, server: `Gantry/${deps.version}` })
}

/** Where a request goes that has one slash too many at the end of its path. */
function withoutLastSlash({ raw, exchange }: FastifyRequest): string | undefined {
  const [, path, query = ''] = /^(\/[^/?][^?]*[^/?])\/(\?.*)?$/.exec(raw.url ?? '') ?? []
  if (path === undefined || path.startsWith('/git/') || (raw.method !== 'GET' && raw.method !== 'HEAD'))
    return undefined
  return `${exchange?.baseUrl}${path}${query}`
}

/** Counted by token, and by address where there is none. */
function countRequest(limit: RateLimit, request: FastifyRequest, reply: FastifyReply): void {
  const { authorization } = request.headers
  const key = authorization ? createHash('sha256').update(authorization).digest('base64') : addressOf(request)
  const { isAllowed, remaining, resetSeconds } = limit.take(key)
  reply.header('ratelimit', `"default";r=${remaining};t=${resetSeconds}`)
  reply.header('ratelimit-policy', `"default";q=${limit.quota};w=${limit.windowSeconds}`)
  if (!isAllowed) throw tooMany(`More than ${limit.quota} requests within a minute`, resetSeconds)
}

async function authenticate(deps: MountedDeps, request: FastifyRequest): Promise<Principal> {
  const credentials = { authorization: request.headers.authorization, address: addressOf(request) }
  return await deps.whileReachable(deps.access.authenticate(credentials))
}

function addressOf(request: FastifyRequest): string {
  return request.raw.socket.remoteAddress ?? 'unknown'
}
