import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Writable } from 'node:stream'
import { errorCatalogue } from '@gantry/api'
import { authorize, type Principal, type TeamScope } from '../access/index.ts'
import { type AppRow, appsByRepository, findApp } from '../apps/index.ts'
import type { GitService } from '../clients/git/index.ts'
import { isSystemError, UserError } from '../kernel/errors.ts'
import type { RepositoryId } from '../kernel/ids.ts'
import { type GitRoute, matchGitRoute } from './git-route.ts'
import type { PushDeps } from './incoming-push.ts'
import { receivePush } from './receive-push.ts'
import { maxFetchBytes, openRequestBody } from './request-body.ts'

export interface GitRequestDeps extends PushDeps {
  readonly pathOf: (id: RepositoryId) => string
  /** Makes HEAD of the repository the app's branch, where it is not. */
  readonly keepHead: (id: RepositoryId, branch: string) => Promise<void>
  /** Looks, in its own time, whether the repository has to be cleaned up after a push. */
  readonly tidy: (id: RepositoryId) => void
}

interface GitCall {
  readonly route: GitRoute
  readonly principal: Principal
  readonly scope: TeamScope
  readonly app: AppRow
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** Aborts when the client is gone. */
  readonly gone: AbortSignal
}

/** How long a connection may be silent in both directions, in ms; a push that waits for its deploy is not. */
const silenceMs = 120_000

/** git's smart HTTP protocol (gitprotocol-http(5)) below `/git/`. Never throws. */
export function createGitRequestHandler(deps: GitRequestDeps) {
  return (request: IncomingMessage, response: ServerResponse): void => {
    response.on('error', () => undefined) // the client has left; `close` follows
    request.on('error', () => undefined)
    request.setTimeout(silenceMs, () => request.destroy())
    answer(deps, request, response).catch((error: unknown) => replyError(deps, { request, response }, error))
  }
}

async function answer(deps: GitRequestDeps, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const route = matchGitRoute(request.method, request.url ?? '')
  const { service, isAdvertisement } = route
  const credentials = { authorization: request.headers.authorization, address: request.socket.remoteAddress }
  const principal = await deps.authenticate(credentials, 'bearer_or_basic')
  const { scope, app } = await letIn(deps, { route, principal, response })
  const call: GitCall = { route, principal, scope, app, request, response, gone: whenGone(response) }
  if (isAdvertisement) await advertise(deps, call)
  else if (service === 'git-upload-pack') await fetch(deps, call)
  else await push(deps, call)
}

/** Whether this may be done to the app is decided here and nowhere else; a push is recorded either way. */
async function letIn(deps: GitRequestDeps, call: Pick<GitCall, 'route' | 'principal' | 'response'>) {
  const { route, principal, response } = call
  const { name, service, isAdvertisement } = route
  const isPush = service === 'git-receive-pack'
  const note = async (outcome: 'allowed' | 'refused'): Promise<void> => {
    const requestId = String(response.getHeader('x-request-id') ?? '')
    const address = response.socket?.remoteAddress
    await deps.audit({ principal, action: 'git push', object: `/git/${name}.git`, outcome, requestId, address })
  }
  try {
    const scope = authorize(principal, isPush ? 'repository:write' : 'repository:read')
    const app = await findNamedApp(deps, scope, name)
    if (isPush && !isAdvertisement) void note('allowed')
    return { scope, app }
  } catch (error) {
    if (isPush && error instanceof UserError) void note('refused')
    throw error
  }
}

async function findNamedApp(deps: GitRequestDeps, scope: TeamScope, name: string): Promise<AppRow> {
  try {
    return await findApp(deps.db, scope, name)
  } catch (error) {
    if (!(error instanceof UserError && error.code === 'not_found')) throw error
    const create = `Make it with: gantry apps create ${name}`
    throw new UserError('not_found', `There is no app ${name} here, or this token may not see it. ${create}`)
  }
}

async function advertise(deps: GitRequestDeps, call: GitCall): Promise<void> {
  const { route, app, response, gone } = call
  const { service } = route
  const path = deps.pathOf(app.repositoryId)
  if (service === 'git-receive-pack') deps.git.warm(path)
  else await deps.keepHead(app.repositoryId, app.branch)
  const options = { service, protocol: protocolOf(call), signal: gone }
  await deps.git.advertiseRefs(path, options, () => begin(response, service, 'advertisement'))
}

async function fetch(deps: GitRequestDeps, call: GitCall): Promise<void> {
  const { app, response, gone } = call
  checkContentType(call)
  const service = 'git-upload-pack'
  const body = openRequestBody(call.request, maxFetchBytes)
  const options = { service, protocol: protocolOf(call), signal: gone, body } as const
  await deps.git.uploadPack(deps.pathOf(app.repositoryId), options, () => begin(response, service, 'result'))
}

async function push(deps: GitRequestDeps, call: GitCall): Promise<void> {
  const { principal, scope, app, request, response, gone } = call
  checkContentType(call)
  const { repositoryId } = app
  const apps = await appsByRepository(deps.db, repositoryId)
  const path = deps.pathOf(repositoryId)
  const body = openRequestBody(request, undefined).iterator({ destroyOnReturn: false })
  await receivePush(deps, { principal, scope, repositoryId, path, apps, body, response, gone })
  deps.tidy(repositoryId)
}

function checkContentType({ request, route }: GitCall): void {
  if (request.headers['content-type'] === `application/x-${route.service}-request`) return
  throw new UserError(
    'unsupported_media_type',
    `This address takes what git sends: application/x-${route.service}-request.`,
  )
}

/** `Git-Protocol: version=2`. What does not look like it is not for git's ears. */
function protocolOf({ request }: GitCall): string | undefined {
  const header = request.headers['git-protocol']
  return typeof header === 'string' && /^[a-z0-9=:.-]{1,64}$/.test(header) ? header : undefined
}

const noCache = {
  'cache-control': 'no-cache, max-age=0, must-revalidate',
  expires: 'Fri, 01 Jan 1980 00:00:00 GMT',
  pragma: 'no-cache',
}

function begin(response: ServerResponse, service: GitService, what: 'advertisement' | 'result'): Writable {
  response.writeHead(200, { ...noCache, 'content-type': `application/x-${service}-${what}` })
  return response
}

function whenGone(response: ServerResponse): AbortSignal {
  const gone = new AbortController()
  response.once('close', () => {
    if (!response.writableFinished) gone.abort(new Error('the client has left'))
  })
  return gone.signal
}

/** Plain text: git shows it behind `remote: `. */
function replyError(deps: GitRequestDeps, call: Pick<GitCall, 'request' | 'response'>, error: unknown): void {
  const { request, response } = call
  if (response.headersSent || response.destroyed) {
    if (!(error instanceof UserError)) deps.log.debug({ err: error }, 'a git request broke off')
    response.destroy()
    return
  }
  const known = error instanceof UserError ? error : faultOfBody(error)
  if (!known) deps.log.error({ err: error }, 'a git request failed')
  const code = known?.code ?? 'internal_error'
  const status = errorCatalogue[code].status ?? 500
  response.writeHead(status, {
    ...noCache,
    'content-type': 'text/plain; charset=utf-8',
    // A body that nobody has read, of any size, is not worth reading.
    ...(request.complete ? {} : { connection: 'close' }),
    ...(status === 401 ? { 'www-authenticate': 'Basic realm="Gantry", charset="UTF-8"' } : {}),
    ...(status === 405 ? { allow: 'GET, POST' } : {}),
    ...(known?.retryAfterSeconds === undefined ? {} : { 'retry-after': String(known.retryAfterSeconds) }),
  })
  response.end(`${known?.message ?? 'Gantry could not answer this; its own log says why.'} [${code}]\n`)
}

/** What unzipping the body throws (node:zlib's error codes). */
function faultOfBody(error: unknown): UserError | undefined {
  if (!isSystemError(error, 'Z_DATA_ERROR', 'Z_BUF_ERROR')) return undefined
  return new UserError('invalid_request', 'The body is not gzip, or ends early.', { cause: error })
}
