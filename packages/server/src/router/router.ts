import { createServer, type Server, type Socket } from 'node:net'
import type { Logger } from '../kernel/logger.ts'
import { ClientConnection } from './client-connection.ts'
import type { RouterCore } from './core.ts'
import type { RouterLimits } from './limits.ts'
import { createTable, type RoutingTable } from './table.ts'

export interface RouterDeps {
  readonly limits: RouterLimits
  readonly newRequestId: () => string
  readonly nowMs: () => number
  readonly wallMs: () => number
  readonly logger: Logger
  /** An instance that left the table has no open request any more. */
  readonly onDrained: (instanceId: string) => void
}

/** The data plane in one process: a table and the connections that it serves. */
export interface Router {
  readonly table: RoutingTable
  /** Accepts on an inherited descriptor, or binds a port (tests). */
  listen(where: { readonly fd: number } | { readonly host: string; readonly port: number }): Promise<Server>
  /**
   * Stops accepting and lets every connection end after its next response; resolves when all have ended, or after the
   * drain limit, when the rest is cut.
   */
  drain(): Promise<void>
}

export function createRouter(deps: RouterDeps): Router {
  const { limits } = deps
  const table = createTable({ ...deps, onDrained: (target) => deps.onDrained(target.instanceId) })
  const core: RouterCore = { ...deps, table, isDraining: false }
  const connections = new Map<Socket, ClientConnection>()
  const servers: Server[] = []
  const ticking = setInterval(() => {
    table.sweep()
    for (const connection of connections.values()) connection.tick()
  }, limits.tickMs)
  return {
    table,
    async listen(where) {
      const server = createServer({
        allowHalfOpen: true,
        noDelay: true,
        keepAlive: true,
        keepAliveInitialDelay: 60_000,
      })
      server.maxConnections = limits.maxConnections
      server.on('connection', (socket) => accept(core, connections, socket))
      servers.push(server)
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject)
        server.listen({ ...where, backlog: 4096 }, resolve)
      })
      server.on('error', (error) => deps.logger.warn({ error }, 'a connection was not accepted'))
      return server
    },
    async drain() {
      core.isDraining = true
      const ended = Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
      const limit = setTimeout(() => {
        for (const socket of connections.keys()) socket.destroy()
      }, limits.drainMs)
      await ended
      clearTimeout(limit)
      clearInterval(ticking)
      table.close()
    },
  }
}

function accept(core: RouterCore, connections: Map<Socket, ClientConnection>, socket: Socket): void {
  connections.set(socket, new ClientConnection(core, socket))
  socket.once('close', () => connections.delete(socket))
}
