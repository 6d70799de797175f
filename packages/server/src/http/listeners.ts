import { createServer, type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { setTimeout as wait } from 'node:timers/promises'
import { toErrorContainer } from '@gantry/api'
import type { FastifyInstance } from 'fastify'
import type { HttpDeps } from './http-server.ts'

/** Where to listen: a socket that was bound already, or an address. */
export type ListenTarget = { readonly fd: number } | { readonly host: string; readonly port: number }

export interface Listeners {
  /** Serves every target at once; returns their ports, in order. */
  listen(targets: readonly ListenTarget[]): Promise<readonly number[]>
  /** Ends streams, lets open requests finish for at most `graceMs`, then cuts what is left. */
  close(graceMs?: number): Promise<void>
}

/** Limits against slow and endless clients. Uploads and pushes may take as long as they move. */
const limits = {
  maxHeaderSize: 32 * 1024,
  headersTimeout: 10_000,
  requestTimeout: 0,
  keepAliveTimeout: 65_000,
  connectionsCheckingInterval: 2000,
} as const
const idleMs = 120_000
const mostConnections = 4096
const mostHeaders = 200

export function createListeners(app: FastifyInstance, deps: HttpDeps, stopping: AbortController): Listeners {
  const servers: Server[] = []
  const onRequest = (request: IncomingMessage, response: ServerResponse) => app.routing(request, response)
  const open = async (target: ListenTarget): Promise<number> => {
    const server = createServer(limits, onRequest)
    server.on('checkContinue', onRequest) // answered when the body is wanted
    server.on('clientError', (error, socket) => refuse(deps, error, socket))
    server.setTimeout(idleMs)
    server.maxConnections = mostConnections
    server.maxHeadersCount = mostHeaders
    servers.push(server)
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen({ ...target, backlog: 511 }, resolve)
    })
    const address = server.address()
    return typeof address === 'object' && address ? address.port : 0
  }
  return {
    listen: (targets) => Promise.all(targets.map(open)),
    close: async (graceMs = 5000) => {
      stopping.abort(new Error('the server stops'))
      const closed = Promise.all(servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve()))))
      const patience = new AbortController()
      const sweep = setInterval(() => {
        for (const server of servers) server.closeIdleConnections()
      }, 50)
      const tooLong = wait(graceMs, undefined, { signal: patience.signal }).then(
        () => {
          for (const server of servers) server.closeAllConnections()
        },
        () => undefined,
      )
      await closed
      clearInterval(sweep)
      patience.abort()
      await tooLong
      await app.close()
    },
  }
}

/** What Node's parser refused: there is no request yet, only a connection. */
function refuse(deps: HttpDeps, error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy()
  const requestId = deps.newRequestId()
  const message = `The request is not valid HTTP (${error.code ?? error.message}).`
  const problem = { code: 'invalid_request', message } as const
  const body = JSON.stringify(toErrorContainer(`http://localhost:${deps.port}`, requestId, [problem]))
  const head = [
    `HTTP/1.1 400 ${STATUS_CODES[400]}`,
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    `X-Request-ID: ${requestId}`,
    `Server: Gantry/${deps.version}`,
    'Connection: close',
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`)
}
