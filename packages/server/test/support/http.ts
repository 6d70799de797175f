import { randomUUID } from 'node:crypto'
import type { BoundEndpoint } from '../../src/access/index.ts'
import { isDatabaseUnavailable } from '../../src/db/open-database.ts'
import { createHttpServer, type HttpDeps, type HttpServer } from '../../src/http/index.ts'
import { systemClock } from '../../src/kernel/clock.ts'
import { silentLogger } from '../../src/kernel/logger.ts'
import { createTestAccess, type TestAccess } from './access.ts'
import { createTestDatabase, type TestDatabase } from './database.ts'
import { createResponseValidator, type ResponseValidator } from './validate-responses.ts'

export interface TestServer extends TestAccess {
  readonly database: TestDatabase
  readonly server: HttpServer
  readonly port: number
  /** `http://localhost:<port>` */
  readonly url: string
  readonly validator: ResponseValidator
  /** Sends a request as the owner unless `init.headers` has `authorization` ('' for none), and holds the reply to the document. */
  send(path: string, init?: TestRequest): Promise<TestReply>
  close(): Promise<void>
}

export interface TestRequest {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  /** An object is sent as JSON, of the type that the method takes. */
  readonly body?: object | string | Uint8Array<ArrayBuffer>
}

export interface TestReply {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** The body parsed, `{}` when there is none. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into any body
  readonly json: any
}

export interface TestServerOptions extends Partial<Omit<HttpDeps, 'endpoints' | 'access'>> {
  /** Endpoints besides those of access. */
  readonly badTokensPerMinute?: number
  readonly endpoints?: (database: TestDatabase, access: TestAccess) => readonly BoundEndpoint[]
}

/** The real server on a free port of the loopback, over a database of its own, with the owner's token. */
export async function startTestServer(options: TestServerOptions = {}): Promise<TestServer> {
  const database = await createTestDatabase()
  const { endpoints, badTokensPerMinute, ...overrides } = options
  const given = await createTestAccess(database.db, systemClock, badTokensPerMinute)
  const server = await createHttpServer({
    access: given.access,
    clock: systemClock,
    logger: silentLogger,
    newRequestId: randomUUID,
    newNonce: randomUUID,
    version: '0.1.0',
    port: 4400,
    isUnavailable: isDatabaseUnavailable,
    checkHealth: async () => undefined,
    referenceScript: { gzipped: async () => Buffer.of(), close: async () => undefined },
    ...overrides,
    endpoints: [...given.access.routes, ...(endpoints?.(database, given) ?? [])],
  })
  const [port = 0] = await server.listen([{ host: '127.0.0.1', port: 0 }])
  const url = `http://localhost:${port}`
  const validator = createResponseValidator({ recordTo: process.env.GANTRY_RECORD_REPLIES })
  return {
    ...given,
    database,
    server,
    port,
    url,
    validator,
    send: (path, init) =>
      sendTo(`http://127.0.0.1:${port}`, { path, bearer: given.bearer, validator, init: init ?? {} }),
    close: async () => {
      await server.close(1000)
      await database.close()
    },
  }
}

interface Sending {
  readonly path: string
  readonly bearer: string
  readonly validator: ResponseValidator
  readonly init: TestRequest
}

async function sendTo(origin: string, { path, bearer, validator, init }: Sending): Promise<TestReply> {
  const { method = 'GET', headers = {}, body } = init
  const isObject = typeof body === 'object' && !(body instanceof Uint8Array)
  const jsonType = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json'
  const sent = new Headers({
    ...('authorization' in headers ? {} : { authorization: bearer }),
    ...(isObject ? { 'content-type': jsonType } : {}),
    ...headers,
  })
  if (sent.get('authorization') === '') sent.delete('authorization')
  const response = await fetch(`${origin}${path}`, {
    method,
    headers: sent,
    redirect: 'manual',
    ...(body === undefined ? {} : { body: isObject ? JSON.stringify(body) : (body as string) }),
  })
  const text = await response.text()
  validator.check({ method, path, status: response.status, headers: response.headers, body: text })
  const isJson = /json/.test(response.headers.get('content-type') ?? '')
  return { status: response.status, headers: response.headers, text, json: isJson && text ? JSON.parse(text) : {} }
}
