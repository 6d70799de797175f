import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { Agent, createServer, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { createTestDatabase, type TestDatabase } from '../../test/support/database.ts'
import { systemClock } from '../kernel/clock.ts'
import { bindSocket, type HeldSocket } from '../kernel/listening-handles.ts'
import { silentLogger } from '../kernel/logger.ts'
import { spawnArgv } from '../kernel/spawn-argv.ts'
import type { RouteTarget } from '../router/protocol.ts'
import { createRouting, isRouterGone, type Routing, type RoutingServer } from './index.ts'

/** Real router processes that share one listening socket, the real control plane's room, a real database. */
const program = fileURLToPath(new URL('../router/router-main.fixture.ts', import.meta.url))

let database: TestDatabase
let home: string
let listening: HeldSocket
let routing: Routing
let server: RoutingServer
const routers = new Set<ChildProcess>()
const apps: Server[] = []

before(async () => {
  database = await createTestDatabase()
  home = mkdtempSync(join(tmpdir(), 'gantry-test-'))
  mkdirSync(join(home, 'run'))
  listening = bindSocket({ host: '127.0.0.1', port: 0 })
  await startControlPlane()
})
after(async () => {
  for (const router of routers) router.kill('SIGKILL')
  await server.close()
  await database.close()
  for (const app of apps) {
    app.close()
    app.closeAllConnections()
  }
  listening.close()
  rmSync(home, { recursive: true })
})

async function startControlPlane(): Promise<void> {
  const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  const { db } = database
  routing = createRouting({
    db,
    clock: systemClock,
    logger: silentLogger,
    bootId,
    newEpoch: randomUUID,
    isGone: isRouterGone,
  })
  server = await routing.serve(join(home, 'run/routing.sock'))
}

interface RouterProcess {
  readonly child: ChildProcess
  readonly ended: Promise<number | null>
}

/** Resolves when the router says that it is ready. */
async function startRouter(): Promise<RouterProcess> {
  const child = spawnArgv(process.execPath, [...process.execArgv, program], {
    env: {
      GANTRY_HOME: home,
      GANTRY_RUN: join(home, 'run'),
      GANTRY_INSTANCE_ID: 'program:router:test',
      GANTRY_LISTEN_FDS: '3',
      GANTRY_READY_FD: '4',
      GANTRY_ROUTER_DRAIN: '10',
    },
    stdio: ['ignore', 'ignore', 'inherit', listening.fd, 'pipe'],
  })
  routers.add(child)
  const ended = new Promise<number | null>((resolve) =>
    child.once('exit', (code) => {
      routers.delete(child)
      resolve(code)
    }),
  )
  const report = new Promise<string>((resolve) =>
    (child.stdio[4] as Readable).once('data', (data) => resolve(String(data))),
  )
  const said = await Promise.race([report, ended])
  assert.equal(said, '{"ready":true}\n')
  return { child, ended }
}

/** An instance that counts the ids of the POSTs that reach it. */
async function startApp(name: string, posts: Map<string, number>): Promise<RouteTarget> {
  const app = createServer((incoming, response) => {
    const id = incoming.headers['x-id']
    if (incoming.method === 'POST') posts.set(String(id), (posts.get(String(id)) ?? 0) + 1)
    incoming.resume().on('end', () => setTimeout(() => response.end(name), 1))
  })
  apps.push(app)
  await new Promise<void>((resolve) => app.listen(0, '127.0.0.1', resolve))
  const { port } = app.address() as AddressInfo
  return { instanceId: name, startedAt: '2026-01-01T00:00:00Z', address: { kind: 'tcp', host: '127.0.0.1', port } }
}

const setRoute = (targets: readonly RouteTarget[], releaseId: string) =>
  database.db.transaction((tx) =>
    routing.setRoute(tx, 'env-1', { hosts: ['app.test'], releaseId, mode: 'serve', targets }),
  )

interface Load {
  /** Ends it and returns what went wrong. */
  stop(): Promise<{ requests: number; failures: string[]; ids: string[] }>
}

/** Clients that ask without pause: some keep their connection, some open one for each request, half of all are POSTs. */
function startLoad(port: number): Load {
  const failures: string[] = []
  const ids: string[] = []
  let requests = 0
  let isStopped = false
  const client = async (keepAlive: boolean, method: string) => {
    const agent = new Agent({ keepAlive, maxSockets: 1 })
    while (!isStopped) {
      const id = randomUUID()
      if (method === 'POST') ids.push(id)
      await send(port, { agent, method, id }).catch((error: Error) =>
        failures.push(`${method} ${keepAlive} ${error.message}`),
      )
      requests++
    }
    agent.destroy()
  }
  const clients = [true, true, false].flatMap((keepAlive) => [client(keepAlive, 'GET'), client(keepAlive, 'POST')])
  return {
    async stop() {
      isStopped = true
      await Promise.all(clients)
      return { requests, failures, ids }
    },
  }
}

function send(port: number, { agent, method, id }: { agent: Agent; method: string; id: string }): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = { host: 'app.test', 'x-id': id }
    const call = request({ host: '127.0.0.1', port, agent, method, headers }, (response) => {
      response.on('error', reject).resume()
      response.on('end', () =>
        response.statusCode === 200 ? resolve() : reject(new Error(`status ${response.statusCode}`)),
      )
    })
    call.on('error', reject)
    call.end(method === 'POST' ? 'some body' : undefined)
  })
}

test('no request is lost while routers and releases replace each other', async () => {
  const posts = new Map<string, number>()
  await setRoute([await startApp('v0', posts)], 'rel-0')
  let router = await startRouter()
  const load = startLoad(listening.address.port)
  for (let i = 1; i <= 5; i++) {
    const revision = await setRoute([await startApp(`v${i}`, posts)], `rel-${i}`)
    await routing.acknowledged(revision, AbortSignal.timeout(10_000))
    const next = await startRouter()
    router.child.kill('SIGTERM')
    assert.equal(await router.ended, 0)
    router = next
  }
  const { requests, failures, ids } = await load.stop()
  assert.deepEqual(failures, [])
  assert.deepEqual(
    ids.filter((id) => posts.get(id) !== 1),
    [],
  )
  assert.ok(requests > 100, `only ${requests} requests`)
  router.child.kill('SIGTERM')
  assert.equal(await router.ended, 0)
  const rows = await database.db.query('select id from routers')
  assert.deepEqual(rows, [], 'every router that drained has left')
})

test('a router serves its saved table while the control plane is away, a new one as well', async () => {
  const posts = new Map<string, number>()
  const first = await startApp('first', posts)
  const revision = await setRoute([first], 'rel-a')
  const before = await startRouter()
  await routing.acknowledged(revision, AbortSignal.timeout(10_000))
  await server.close()
  const agent = new Agent({ keepAlive: false })
  const ask = () => send(listening.address.port, { agent, method: 'GET', id: 'a' })
  await ask()
  const after = await startRouter()
  before.child.kill('SIGTERM')
  await before.ended
  await ask()
  await startControlPlane()
  const second = await startApp('second', posts)
  const switched = await setRoute([second], 'rel-b')
  await routing.acknowledged(switched, AbortSignal.timeout(10_000))
  await ask()
  after.child.kill('SIGKILL')
  await after.ended
  await routing.acknowledged(await setRoute([first], 'rel-c'), AbortSignal.timeout(2000))
})
