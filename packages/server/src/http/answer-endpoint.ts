import { createHash } from 'node:crypto'
import { type Endpoint, type Permission, readInput } from '@gantry/api'
import type { FastifyReply, FastifyRequest } from 'fastify'
import {
  type Access,
  authorize,
  type BoundEndpoint,
  type Call,
  type KeptReply,
  type Principal,
} from '../access/index.ts'
import { namesEntityTag } from '../kernel/entity-tag.ts'
import { UserError } from '../kernel/errors.ts'
import type { Logger } from '../kernel/logger.ts'
import { checkAccept } from './negotiate.ts'
import { parseJson } from './parse-json.ts'
import { checkMediaType, openUpload, readSmallBody } from './read-body.ts'
import { readParams, readQuery } from './read-query.ts'
import { RequestProblems } from './reply-error.ts'
import { readHeaders, readIdempotencyKey } from './request-headers.ts'
import { type StreamedEvent, type StreamOptions, streamEvents } from './stream-events.ts'
import type { WhileReachable } from './while-reachable.ts'

export interface AnswerDeps {
  readonly access: Pick<Access, 'authenticate' | 'audit' | 'idempotencyKeys'>
  readonly logger: Logger
  readonly whileReachable: WhileReachable
}

/** Answers one request of an endpoint, from the permission to the reply. What it throws becomes the error's reply. */
export async function answerEndpoint(
  deps: AnswerDeps,
  { endpoint, handle }: BoundEndpoint,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { principal, exchange } = request
  if (!principal || !exchange) throw new Error(`${endpoint.path} is mounted without authentication`)
  const audit = auditor(deps, { endpoint, request, principal, requestId: exchange.requestId })
  const scope = await audit.refusals(() => authorize(principal, endpoint.permission))
  checkAccept(request.headers.accept, endpoint)
  const headers = readHeaders(request.raw, endpoint)
  const idempotencyKey = readIdempotencyKey(request.raw, endpoint)
  const params = readParams(request.params, endpoint)
  const query = readQuery(request.raw.url ?? '', endpoint)
  const bytes = await readJsonBytes(request, reply, endpoint)
  const call = {
    scope,
    principal,
    params,
    query,
    body: bytes && parseBody(bytes, endpoint),
    headers,
    upload: openUpload(request.raw, reply.raw, endpoint),
    requestId: exchange.requestId,
    baseUrl: exchange.baseUrl,
    signal: exchange.abort.signal,
  } as unknown as Call
  const run = () => audit.changes(() => handle(call))
  if (endpoint.reply.status === 200 && endpoint.reply.mediaType === 'text/event-stream') {
    const events = (await deps.whileReachable(run())) as AsyncIterable<StreamedEvent>
    const isStillPermitted = () => isPermitted(deps, request, endpoint.permission)
    return await replyStream(deps, { events, isStillPermitted }, request, reply)
  }
  const kept = await deps.whileReachable(
    idempotencyKey
      ? runOnce(deps, { endpoint, request, principal, key: idempotencyKey, bytes }, run)
      : run().then((body) => keptReply(endpoint, body)),
  )
  return sendKept(kept, endpoint, request, reply)
}

interface AuditedRequest {
  readonly endpoint: Endpoint
  readonly request: FastifyRequest
  readonly principal: Principal
  readonly requestId: string
}

/** Records refusals, and changes that were made. Reading leaves no trace. */
function auditor(deps: AnswerDeps, about: AuditedRequest) {
  const { endpoint, request, principal, requestId } = about
  const object = (request.raw.url ?? '').split('?', 1)[0] ?? ''
  const address = request.raw.socket.remoteAddress
  const record = (outcome: 'allowed' | 'refused') =>
    deps.access.audit({ principal, action: endpoint.operationId, object, outcome, requestId, address })
  const refusals = async <T>(body: () => T | Promise<T>): Promise<T> => {
    try {
      return await body()
    } catch (error) {
      if (error instanceof UserError && error.code === 'forbidden') await record('refused')
      throw error
    }
  }
  return {
    refusals,
    changes: async <T>(body: () => Promise<T>): Promise<T> => {
      const result = await refusals(body)
      if (endpoint.method !== 'GET') await record('allowed')
      return result
    },
  }
}

async function readJsonBytes(
  request: FastifyRequest,
  reply: FastifyReply,
  { body }: Endpoint,
): Promise<Buffer | undefined> {
  if (!body || !('schema' in body)) return undefined
  checkMediaType(request.raw, body.mediaType, ['identity'])
  return await readSmallBody(request.raw, reply.raw)
}

function parseBody(bytes: Buffer, { body }: Endpoint): unknown {
  if (!body || !('schema' in body)) return undefined
  const input = readInput(body.schema, parseJson(bytes), 'field')
  if (input.ok) return input.value
  throw new RequestProblems(input.problems)
}

interface KeyedRequest {
  readonly endpoint: Endpoint
  readonly request: FastifyRequest
  readonly principal: Principal
  readonly key: string
  readonly bytes: Buffer | undefined
}

/** Runs the first request of a key, and answers the others with its reply. A failed one changed nothing and is forgotten. */
async function runOnce(deps: AnswerDeps, keyed: KeyedRequest, run: () => Promise<unknown>): Promise<KeptReply> {
  const { endpoint, request, principal, key, bytes } = keyed
  const { idempotencyKeys } = deps.access
  const hash = createHash('sha256')
    .update(`${request.raw.url}\n`)
    .update(bytes ?? '')
  const of = { tokenId: principal.tokenId, operation: endpoint.operationId, key, fingerprint: hash.digest() }
  const target = { type: 'header', name: 'Idempotency-Key' } as const
  const claim = await idempotencyKeys.claim(of)
  if (claim.kind === 'replay') return claim.reply
  if (claim.kind === 'reused') {
    throw new UserError('idempotency_key_reused', 'This key was used for another request: take a new one.', { target })
  }
  if (claim.kind === 'running') {
    const message = 'The first request with this key is still running: send this one again in a moment.'
    throw new UserError('idempotency_key_in_use', message, { target })
  }
  let reply: KeptReply
  try {
    reply = keptReply(endpoint, await run())
  } catch (error) {
    await idempotencyKeys
      .drop(of)
      .catch((err: unknown) => deps.logger.warn({ err }, 'an idempotency key was not dropped'))
    throw error
  }
  await idempotencyKeys.keep(of, reply)
  return reply
}

/** Status and headers follow from the endpoint and the resource: no handler writes them. */
function keptReply({ reply }: Endpoint, body: unknown): KeptReply {
  if (reply.status === 204) return { status: 204, headers: {}, body: '' }
  const { href, etag } = body as { href?: string; etag?: string }
  const headers: Record<string, string> = {}
  if (href !== undefined && reply.status !== 200) headers.location = href
  if (href !== undefined && reply.status === 201) headers['content-location'] = href
  if (reply.status === 202) headers['retry-after'] = '1'
  if (etag !== undefined) headers.etag = etag
  if ('cache' in reply && reply.cache) headers['cache-control'] = reply.cache
  return { status: reply.status, headers, body: JSON.stringify(body) }
}

function sendKept(kept: KeptReply, endpoint: Endpoint, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  reply.headers(kept.headers)
  const ifNoneMatch = request.headers['if-none-match']
  const etag = kept.headers.etag
  const isCurrent = endpoint.conditional === 'if_none_match' && ifNoneMatch !== undefined && etag !== undefined
  if (isCurrent && namesEntityTag(ifNoneMatch.replaceAll('W/', ''), etag)) return reply.code(304).send()
  if (kept.status === 204) return reply.code(204).send()
  // as bytes: to a text Fastify would add a charset, which JSON has none of
  return reply.code(kept.status).header('content-type', 'application/json').send(Buffer.from(kept.body))
}

async function replyStream(
  deps: AnswerDeps,
  stream: Pick<StreamOptions, 'events' | 'isStillPermitted'>,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { exchange } = request
  if (!exchange) throw new Error('a stream has no exchange')
  const headers = Object.fromEntries(Object.entries(reply.getHeaders()).map(([name, value]) => [name, String(value)]))
  reply.hijack()
  await streamEvents(reply.raw, {
    ...stream,
    headers,
    abort: exchange.abort,
    logger: deps.logger,
  })
  return reply
}

/** By the token and the role as they are now. */
async function isPermitted(deps: AnswerDeps, request: FastifyRequest, permission: Permission): Promise<boolean> {
  try {
    authorize(await deps.access.authenticate({ authorization: request.headers.authorization }), permission)
    return true
  } catch (error) {
    return !(error instanceof UserError) // the database being away revokes nothing
  }
}
