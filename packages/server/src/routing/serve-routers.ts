import { chmod, chown, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { messageOf } from '../kernel/errors.ts'
import type { Logger } from '../kernel/logger.ts'
import type { Acknowledgement, RouterMetrics, TableUpdate } from '../router/protocol.ts'

/** What the socket's server asks of the room. */
export interface RouterCalls {
  /** Renews the lease, then answers what is newer than the position, waiting for it up to 20 s. */
  fetch(
    routerId: string,
    asked: { epoch: string; after: number },
    signal: AbortSignal,
  ): Promise<TableUpdate | undefined>
  acknowledge(acknowledgement: Acknowledgement): Promise<void>
  /** False: a full report is wanted. */
  report(metrics: RouterMetrics): boolean
  leave(routerId: string): Promise<void>
}

export interface RoutingServer {
  close(): Promise<void>
}

/** Who may connect: `gid` is the routers' group when they run as another user. Nobody else may, or drains could be faked. */
export interface SocketAccess {
  readonly gid?: number
}

interface ServeDeps {
  readonly calls: RouterCalls
  readonly logger: Logger
}

/** The server of router/protocol.ts. */
export async function serveRouters(deps: ServeDeps, socketPath: string, access?: SocketAccess): Promise<RoutingServer> {
  const stopping = new AbortController()
  const server = createServer((request, response) => {
    void answer(deps, request, response, stopping.signal)
  })
  await rm(socketPath, { force: true })
  await listenPrivately(server, socketPath)
  if (access?.gid !== undefined) {
    await chown(socketPath, -1, access.gid)
    await chmod(socketPath, 0o660)
  }
  return {
    async close() {
      stopping.abort()
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
  }
}

/** A socket is made with the umask's mode, and `listen` makes it before it returns: at no moment can others connect. */
async function listenPrivately(server: Server, socketPath: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    const umask = process.umask(0o177)
    try {
      server.listen(socketPath, resolve)
    } finally {
      process.umask(umask)
    }
  })
}

async function answer(
  deps: ServeDeps,
  request: IncomingMessage,
  response: ServerResponse,
  stopping: AbortSignal,
): Promise<void> {
  const gone = new AbortController()
  response.once('close', () => gone.abort())
  try {
    await dispatch(deps.calls, request, response, AbortSignal.any([gone.signal, stopping]))
  } catch (error) {
    if (gone.signal.aborted || stopping.aborted) return void response.destroy()
    deps.logger.warn({ error, url: request.url }, 'a router was not answered')
    if (!response.headersSent) response.writeHead(500)
    response.end(messageOf(error))
  }
}

async function dispatch(
  calls: RouterCalls,
  request: IncomingMessage,
  response: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://routing')
  const action = `${request.method} ${url.pathname}`
  if (action === 'GET /table') {
    const asked = { epoch: url.searchParams.get('epoch') ?? '', after: Number(url.searchParams.get('after') ?? 0) }
    const update = await calls.fetch(url.searchParams.get('router') ?? '', asked, signal)
    if (!update) return void response.writeHead(204).end()
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(update))
  } else if (action === 'POST /acknowledgements') {
    await calls.acknowledge((await readJson(request)) as Acknowledgement)
    response.writeHead(204).end()
  } else if (action === 'POST /metrics') {
    const isTaken = calls.report((await readJson(request)) as RouterMetrics)
    response.writeHead(isTaken ? 204 : 409).end()
  } else if (request.method === 'DELETE' && url.pathname.startsWith('/routers/')) {
    await calls.leave(decodeURIComponent(url.pathname.slice('/routers/'.length)))
    response.writeHead(204).end()
  } else {
    response.writeHead(404).end()
  }
}

/** Peers are our own routers, kept to them by the socket's mode: their JSON is not checked field by field. */
async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return JSON.parse(Buffer.concat(chunks).toString('utf8'))
}
