import { chmodSync, chownSync, rmSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { messageOf } from '../kernel/errors.ts'
import type { Logger } from '../kernel/logger.ts'
import type { Owner } from './files/tree.ts'
import { maxMessageBytes, Refusal, type RefusalName, type Reply } from './protocol.ts'

export interface ControlSocketDeps {
  readonly path: string
  /** Who may connect besides root; undefined: the supervisor's own user. */
  readonly owner: Owner | undefined
  /** `hints` is the socket's own business. */
  readonly handlers: Readonly<Record<string, (args: never) => Promise<unknown>>>
  /** Calls back with each id that changed; returns how to end that. */
  readonly onChange: (listener: (id: string) => void) => () => void
  readonly log: Logger
}

export interface ControlSocket {
  /** Ends all connections and removes the socket. */
  close(): Promise<void>
}

type Handle = (args: unknown, connection: Connection) => Promise<unknown>

interface Connection {
  readonly socket: Socket
  wantsHints: boolean
}

/** Most bytes that wait for a client to read; one that is slower is cut off and asks again when it is back. */
const maxWaitingBytes = 64 * 1024 * 1024

/**
 * Serves the protocol of `protocol.ts`. A socket left by a supervisor that was killed is replaced: that there is only one
 * supervisor for a home was made sure before.
 */
export async function createControlSocket(deps: ControlSocketDeps): Promise<ControlSocket> {
  const connections = new Set<Connection>()
  const handlers = new Map<string, Handle>(
    Object.entries(deps.handlers).map(([verb, handler]) => [verb, handler as unknown as Handle]),
  )
  handlers.set('hints', async (_args, connection) => {
    connection.wantsHints = true
    return null
  })
  const server = createServer((socket) => {
    const connection: Connection = { socket, wantsHints: false }
    connections.add(connection)
    socket.once('close', () => connections.delete(connection))
    socket.on('error', () => socket.destroy()) // the client is gone; what it asked for goes on
    readLines(socket, (line) => void answer(line, connection, handlers, deps.log))
  })
  const stopHints = deps.onChange((id) => {
    for (const { socket, wantsHints } of connections) if (wantsHints) send(socket, { hint: id })
  })
  await listen(server, deps)
  return {
    close: () => {
      stopHints()
      for (const { socket } of connections) socket.destroy()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}

async function listen(server: ReturnType<typeof createServer>, { path, owner }: ControlSocketDeps): Promise<void> {
  rmSync(path, { force: true })
  const listening = new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.once('listening', resolve)
  })
  const mask = process.umask(0o177) // binding is synchronous: the socket is never anybody else's, not for a moment
  try {
    server.listen(path)
  } finally {
    process.umask(mask)
  }
  await listening
  chmodSync(path, 0o600)
  if (owner) chownSync(path, owner.uid, owner.gid)
}

function readLines(socket: Socket, onLine: (line: string) => void): void {
  let parts: Buffer[] = []
  let size = 0
  socket.on('data', (chunk: Buffer) => {
    let start = 0
    for (let end = chunk.indexOf(0x0a); end >= 0; end = chunk.indexOf(0x0a, start)) {
      parts.push(chunk.subarray(start, end))
      onLine(Buffer.concat(parts).toString('utf8'))
      parts = []
      size = 0
      start = end + 1
    }
    if (start < chunk.length) parts.push(chunk.subarray(start))
    size += chunk.length - start
    if (size > maxMessageBytes) socket.destroy()
  })
}

async function answer(
  line: string,
  connection: Connection,
  handlers: ReadonlyMap<string, Handle>,
  log: Logger,
): Promise<void> {
  const request = parseRequest(line)
  const handle = request && handlers.get(request.verb)
  if (!request || !handle) {
    const message = request ? `no such verb: ${request.verb}` : 'not a request'
    return send(connection.socket, { id: request?.id ?? -1, error: { name: 'BadRequest', message } })
  }
  try {
    send(connection.socket, { id: request.id, ok: await handle(request.args, connection) })
  } catch (error) {
    const name = refusalOf(error)
    send(connection.socket, { id: request.id, error: { name, message: messageOf(error) } })
    if (name === 'Internal') log.error({ verb: request.verb, cause: messageOf(error) }, 'a verb failed')
  }
}

function refusalOf(error: unknown): RefusalName {
  if (error instanceof Refusal) return error.refusal
  return error instanceof TypeError ? 'BadRequest' : 'Internal'
}

function parseRequest(line: string): { id: number; verb: string; args: unknown } | undefined {
  try {
    const { id, verb, args } = JSON.parse(line)
    const whole = Number.isSafeInteger(id) && typeof verb === 'string' && typeof args === 'object' && args !== null
    return whole ? { id, verb, args } : undefined
  } catch {
    return undefined
  }
}

function send(socket: Socket, message: Reply | { hint: string }): void {
  if (socket.destroyed) return
  socket.write(`${JSON.stringify(message)}\n`)
  if (socket.writableLength > maxWaitingBytes) socket.destroy()
}
