import type { IncomingMessage, ServerResponse } from 'node:http'
import fastify, { type FastifyInstance } from 'fastify'
import type { Access, BoundEndpoint, Principal } from '../access/index.ts'
import type { Clock } from '../kernel/clock.ts'
import type { Logger } from '../kernel/logger.ts'
import { mountDocs } from './docs.ts'
import type { Exchange } from './exchange.ts'
import { createGate } from './gate.ts'
import { createListeners, type Listeners } from './listeners.ts'
import { mountEndpoints } from './mount-endpoints.ts'
import { mountGit, mountHealth } from './mount-plain.ts'
import type { ReferenceScript } from './reference-script.ts'
import { answerUnknown, sendError } from './send-error.ts'
import { createWhileReachable, type WhileReachable } from './while-reachable.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Absent only while the request's line and headers are still being judged. */
    exchange: Exchange | undefined
    /** Set on every endpoint. */
    principal: Principal | undefined
  }
}

export interface HttpDeps {
  readonly access: Pick<Access, 'authenticate' | 'audit' | 'idempotencyKeys'>
  readonly endpoints: readonly BoundEndpoint[]
  readonly clock: Clock
  readonly logger: Logger
  readonly newRequestId: () => string
  /** 128 random bits in base64, for the pages' content security policy. */
  readonly newNonce: () => string
  /** Gantry's version, for the header `Server`. */
  readonly version: string
  /** The API's own port: the base of URLs for a caller that names no host. */
  readonly port: number
  /** Whether an error means that the database cannot be reached. */
  readonly isUnavailable: (error: unknown) => boolean
  /** Rejects when the platform cannot serve: what `/healthz` asks. */
  readonly checkHealth: () => Promise<void>
  /** Answers everything below `/git/`. */
  readonly gitRequest?: (request: IncomingMessage, response: ServerResponse) => void
  readonly referenceScript: ReferenceScript
  /** Requests a minute and token. Default 6000. */
  readonly requestsPerMinute?: number
}

/** With what the server's own parts share. */
export interface MountedDeps extends HttpDeps {
  readonly whileReachable: WhileReachable
}

export interface HttpServer extends Listeners {
  readonly app: FastifyInstance
}

/** The API's server: one application behind any number of listening sockets. */
export async function createHttpServer(httpDeps: HttpDeps): Promise<HttpServer> {
  const deps: MountedDeps = { ...httpDeps, whileReachable: createWhileReachable(httpDeps) }
  const stopping = new AbortController()
  const gate = createGate(deps, stopping.signal)
  const app = fastify({
    logger: false,
    exposeHeadRoutes: false,
    routerOptions: { maxParamLength: 16_384, caseSensitive: true },
    // a path that cannot be decoded: no hook runs, and the conventions hold all the same
    frameworkErrors: (error, request, reply) => {
      void gate(request, reply).then(
        () => sendError(deps, error, request, reply),
        (reason) => sendError(deps, reason, request, reply),
      )
    },
  })
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, _payload, done) => done(null)) // read by the endpoint, once it may be
  app.decorateRequest('principal', undefined)
  app.decorateRequest('exchange', undefined)
  app.addHook('onRequest', gate)
  app.addHook('onRequest', (request, _reply, done) => {
    // what a body is said to be is the endpoint's to judge, which reads the raw request: the framework fails on what is no media type
    request.headers = { 'content-type': undefined }
    done()
  })
  app.setErrorHandler((error, request, reply) => sendError(deps, error, request, reply))
  app.setNotFoundHandler(answerUnknown)
  mountEndpoints(app, deps)
  mountDocs(app, deps)
  mountHealth(app, deps)
  mountGit(app, deps)
  await app.ready()
  return { app, ...createListeners(app, deps, stopping) }
}
