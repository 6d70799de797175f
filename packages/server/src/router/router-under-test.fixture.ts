import type { AddressInfo } from 'node:net'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { silentLogger } from '../kernel/logger.ts'
import { defaultLimits, type RouterLimits } from './limits.ts'
import type { ReleaseMetrics, RouteEntry, RouteTarget } from './protocol.ts'
import { createRequestIds } from './request-ids.ts'
import { createRouter, type Router } from './router.ts'

/** A router on a free port, in this process. */
export interface RouterUnderTest {
  readonly router: Router
  readonly port: number
  /** Instances whose last request ended after they had left the table. */
  readonly drained: string[]
  /** Sets the route of `app.test`; each call is a new revision. */
  route(targets: readonly RouteTarget[], entry?: Partial<RouteEntry>): void
  remove(environmentId: string): void
  /** What was counted for a release; undefined when nothing was. */
  counted(releaseId?: string): ReleaseMetrics | undefined
  close(): Promise<void>
}

export async function startRouter(limits: Partial<RouterLimits> = {}): Promise<RouterUnderTest> {
  const drained: string[] = []
  const router = createRouter({
    limits: { ...defaultLimits, tickMs: 20, drainMs: 200, ...limits },
    newRequestId: createRequestIds(new Uint8Array(8)),
    nowMs: () => performance.now(),
    wallMs: () => Date.now(),
    logger: silentLogger,
    onDrained: (instanceId) => drained.push(instanceId),
  })
  const server = await router.listen({ host: '127.0.0.1', port: 0 })
  let revision = 0
  const update = { epoch: 'one', bootId: 'boot', full: false }
  router.table.apply({ ...update, revision, full: true, entries: [], removed: [] })
  return {
    router,
    port: (server.address() as AddressInfo).port,
    drained,
    route(targets, entry = {}) {
      revision++
      const route: RouteEntry = {
        environmentId: 'env-1',
        hosts: ['app.test'],
        releaseId: 'rel-1',
        revision,
        mode: 'serve',
        targets,
        ...entry,
      }
      router.table.apply({ ...update, revision, entries: [route], removed: [] })
    },
    remove(environmentId) {
      revision++
      router.table.apply({ ...update, revision, entries: [], removed: [environmentId] })
    },
    counted: (releaseId = 'rel-1') => router.table.takeReport('all').find((release) => release.releaseId === releaseId),
    close: () => router.drain(),
  }
}

/** An instance: whatever listens. */
export interface AppUnderTest {
  readonly target: RouteTarget
  readonly port: number
  close(): Promise<void>
}

let apps = 0

/** Listens with a net or http server. */
export async function startApp(server: Server, instanceId = `ins-${++apps}`): Promise<AppUnderTest> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.once('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    target: { instanceId, startedAt: '2026-01-01T00:00:00Z', address: { kind: 'tcp', host: '127.0.0.1', port } },
    port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}

/** An app that does as it is told with each connection's bytes: `onHead` gets each request's head as it arrives. */
export function rawApp(onHead: (head: string, socket: Socket) => void): Server {
  return createServer((socket) => {
    let held = ''
    socket.on('data', (chunk) => {
      held += chunk.toString('latin1')
      for (let end = held.indexOf('\r\n\r\n'); end !== -1; end = held.indexOf('\r\n\r\n')) {
        const head = held.slice(0, end + 4)
        held = held.slice(end + 4)
        onHead(head, socket)
      }
    })
  })
}

export function reply(body: string, headers = ''): string {
  return `HTTP/1.1 200 OK\r\n${headers}Content-Length: ${body.length}\r\n\r\n${body}`
}

/** Sends bytes and reads until the router closes the connection. */
export function sendRaw(port: number, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    let text = ''
    socket.setTimeout(10_000, () =>
      socket.destroy(new Error(`no end of the connection after: ${JSON.stringify(text)}`)),
    )
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1')
    })
    socket.on('end', () => resolve(text))
    socket.on('error', reject)
    socket.write(bytes, 'latin1')
  })
}

/** A connection to write to and wait on. */
export interface RawClient {
  readonly socket: Socket
  readonly received: () => string
  write(bytes: string): void
  /** Resolves with everything received once `isEnough` holds; rejects when the connection ends before. */
  until(isEnough: (received: string) => boolean): Promise<string>
}

export function openRaw(port: number): RawClient {
  const socket = connect(port, '127.0.0.1')
  let text = ''
  const waiting = new Set<() => void>()
  const look = () => {
    for (const wake of waiting) wake()
  }
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1')
    look()
  })
  socket.on('close', look)
  socket.on('error', () => undefined)
  return {
    socket,
    received: () => text,
    write: (bytes) => void socket.write(bytes, 'latin1'),
    until: (isEnough) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => end(() => reject(new Error(`still only: ${JSON.stringify(text)}`))), 10_000)
        const end = (settle: () => void) => {
          clearTimeout(timer)
          waiting.delete(wake)
          settle()
        }
        const wake = () => {
          if (isEnough(text)) end(() => resolve(text))
          else if (socket.destroyed) end(() => reject(new Error(`closed after: ${JSON.stringify(text)}`)))
        }
        waiting.add(wake)
        wake()
      }),
  }
}

/** Looks again until it holds; a test's deadline, not its speed. */
export async function eventually(holds: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + 10_000
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`never happened: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

export const statusOf = (response: string) => Number(/^HTTP\/1\.1 (\d{3})/.exec(response)?.[1])
export const bodyOf = (response: string) => response.slice(response.indexOf('\r\n\r\n') + 4)
