import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, beforeEach, test } from 'node:test'
import { createTestDatabase, type TestDatabase } from '../../test/support/database.ts'
import { type Clock, systemClock } from '../kernel/clock.ts'
import { silentLogger } from '../kernel/logger.ts'
import type { ReleaseMetrics, TableUpdate } from '../router/protocol.ts'
import { createRouting, type RouteContent, type Routing, type RoutingServer } from './index.ts'

let database: TestDatabase
let folder: string
let socketPath: string
let gone: Set<string>
let bootId: string
let routing: Routing
let server: RoutingServer
let aheadMs = 0
const clock: Clock = { ...systemClock, monotonicMs: () => systemClock.monotonicMs() + aheadMs }
const never = new AbortController().signal

before(async () => {
  database = await createTestDatabase()
  folder = mkdtempSync(join(tmpdir(), 'gantry-test-'))
  socketPath = join(folder, 'routing.sock')
})
after(async () => {
  await database.close()
  rmSync(folder, { recursive: true })
})
beforeEach(async () => {
  await database.db.query('delete from routes')
  await database.db.query('delete from routers')
  gone = new Set()
  bootId = 'boot-1'
  await start()
})
afterEach(() => server.close())

async function start(): Promise<void> {
  routing = createRouting({
    db: database.db,
    clock,
    logger: silentLogger,
    bootId,
    newEpoch: randomUUID,
    isGone: (id) => gone.has(id),
  })
  server = await routing.serve(socketPath)
}

async function restart(): Promise<void> {
  await server.close()
  await start()
}

interface Reply {
  readonly status: number
  readonly text: string
}

function call(method: string, path: string, body?: object): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath, method, path, agent: false }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (data) => {
        text += data
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }))
    })
    sent.on('error', reject)
    sent.end(body && JSON.stringify(body))
  })
}

async function table(known: { epoch: string; revision: number } | undefined, router = 'a'): Promise<TableUpdate> {
  const reply = await call('GET', `/table?epoch=${known?.epoch ?? ''}&after=${known?.revision ?? 0}&router=${router}`)
  assert.equal(reply.status, 200, reply.text)
  return JSON.parse(reply.text) as TableUpdate
}

const content = (host: string, more: Partial<RouteContent> = {}): RouteContent => ({
  hosts: [host],
  releaseId: 'rel-1',
  mode: 'serve',
  targets: [
    { instanceId: 'ins-1', startedAt: '2026-01-01T00:00:00Z', address: { kind: 'tcp', host: '127.0.0.1', port: 1 } },
  ],
  ...more,
})

const set = (environmentId: string, more: Partial<RouteContent> = {}) =>
  database.db.transaction((tx) => routing.setRoute(tx, environmentId, content(`${environmentId}.test`, more)))
const remove = (environmentId: string) => database.db.transaction((tx) => routing.removeRoute(tx, environmentId))
const acknowledge = (update: { epoch: string; revision: number }, router = 'a') =>
  call('POST', '/acknowledgements', { routerId: router, epoch: update.epoch, revision: update.revision })

async function isPending(promise: Promise<unknown>): Promise<boolean> {
  return await Promise.race([promise.then(() => false), systemClock.wait(300).then(() => true)])
}

test('a router gets everything first and then what changed', async () => {
  await set('one')
  await set('two')
  const whole = await table(undefined)
  assert.equal(whole.full, true)
  assert.deepEqual(whole.entries.map(({ environmentId }) => environmentId).sort(), ['one', 'two'])
  const revision = await set('two', { mode: 'hold' })
  await remove('one')
  const part = await table(whole)
  assert.equal(part.full, false)
  assert.deepEqual(part.removed, ['one'])
  assert.deepEqual(
    part.entries.map((entry) => [entry.environmentId, entry.revision, entry.mode]),
    [['two', revision, 'hold']],
  )
  assert.ok(part.revision > revision)
})

test('a router that is up to date is answered when something changes', async () => {
  await set('one')
  const whole = await table(undefined)
  const waiting = table(whole)
  assert.equal(await isPending(waiting), true)
  const revision = await set('two')
  assert.equal((await waiting).revision, revision)
})

test('what another control plane changed arrives too', async () => {
  await set('one')
  const whole = await table(undefined)
  const waiting = table(whole)
  const other = createRouting({
    db: database.db,
    clock: systemClock,
    logger: silentLogger,
    bootId,
    newEpoch: randomUUID,
    isGone: () => false,
  })
  const revision = await database.db.transaction((tx) => other.setRoute(tx, 'two', content('two.test')))
  assert.equal((await waiting).revision, revision)
})

test('a change that is rolled back is never seen', async () => {
  await set('one')
  const whole = await table(undefined)
  await assert.rejects(
    database.db.transaction(async (tx) => {
      await routing.setRoute(tx, 'one', content('never.test'))
      throw new Error('no')
    }),
  )
  const revision = await set('two')
  const part = await table(whole)
  assert.deepEqual(
    part.entries.map(({ environmentId }) => environmentId),
    ['two'],
  )
  assert.equal(part.revision, revision)
})

test('revisions become visible in their order, whoever commits first', async () => {
  await set('zero')
  let known = await table(undefined)
  const seen = new Set<string>()
  const all = Promise.all(
    Array.from({ length: 20 }, (_, i) =>
      database.db.transaction(async (tx) => {
        await tx.query('select pg_sleep($1)', [Math.random() / 50])
        await routing.setRoute(tx, `env-${i}`, content(`env-${i}.test`))
        await tx.query('select pg_sleep($1)', [Math.random() / 50])
      }),
    ),
  )
  while (seen.size < 20) {
    known = await table(known)
    for (const { environmentId } of known.entries) seen.add(environmentId)
  }
  await all
  assert.equal(seen.size, 20)
})

test('a change is acknowledged when every living router has it', async () => {
  const first = await set('one')
  await routing.acknowledged(first, never)
  await restart()
  const forA = await table(undefined, 'a')
  const forB = await table(undefined, 'b')
  await acknowledge(forA, 'a')
  await acknowledge(forB, 'b')
  await routing.acknowledged(first, never)
  const revision = await set('one')
  const done = routing.acknowledged(revision, never)
  const next = await table(forA, 'a')
  await acknowledge(next, 'a')
  assert.equal(await isPending(done), true)
  await acknowledge(await table(forB, 'b'), 'b')
  await done
})

test('nobody waits for a router that left, is gone, or whose lease has ended', async () => {
  for (const end of [
    () => call('DELETE', '/routers/a'),
    async () => void gone.add('a'),
    () => database.db.query("update routers set lease_until = now() - interval '1 second'"),
  ]) {
    gone.clear()
    await table(undefined, 'a')
    const revision = await set('one')
    const done = routing.acknowledged(revision, never)
    assert.equal(await isPending(done), true)
    await end()
    await done
    await call('DELETE', '/routers/a')
  }
})

test('after a restart a router whose lease has ended meanwhile is waited for a moment', async () => {
  await table(undefined, 'a')
  const revision = await set('one')
  await server.close()
  await database.db.query("update routers set lease_until = now() - interval '1 minute'")
  await start()
  assert.equal(await isPending(routing.acknowledged(revision, never)), true)
  await acknowledge(await table(undefined, 'a'), 'a')
  await routing.acknowledged(revision, never)
})

test('an environment is acknowledged when its own newest route is, whatever happened to others since', async () => {
  await routing.environmentAcknowledged('unknown', never)
  await set('one')
  const known = await table(undefined, 'a')
  await acknowledge(known, 'a')
  await set('two')
  await routing.environmentAcknowledged('one', never)
  assert.equal(await isPending(routing.environmentAcknowledged('two', never)), true)
  await acknowledge(await table(known, 'a'), 'a')
  await routing.environmentAcknowledged('two', never)
})

test('waiting for acknowledgements ends with the signal', async () => {
  await table(undefined, 'a')
  const revision = await set('one')
  await assert.rejects(routing.acknowledged(revision, AbortSignal.timeout(50)), { name: 'TimeoutError' })
})

test('an acknowledgement of another history does not count', async () => {
  const known = await table(undefined, 'a')
  const revision = await set('one')
  await acknowledge({ epoch: 'another', revision }, 'a')
  assert.equal(await isPending(routing.acknowledged(revision, never)), true)
  await acknowledge(await table(known, 'a'), 'a')
  await routing.acknowledged(revision, never)
})

test('a router that knows more than the table begins a new history', async () => {
  await set('one')
  const whole = await table(undefined)
  const fresh = await table({ epoch: whole.epoch, revision: whole.revision + 100 })
  assert.notEqual(fresh.epoch, whole.epoch)
  assert.equal(fresh.full, true)
  assert.equal((await table(whole)).epoch, fresh.epoch)
})

test('targets of an earlier boot are not served', async () => {
  await set('one')
  bootId = 'boot-2'
  await restart()
  const whole = await table(undefined)
  assert.equal(whole.bootId, 'boot-2')
  assert.deepEqual(whole.entries[0]?.targets, [])
  await set('one')
  assert.equal((await table(whole)).entries[0]?.targets.length, 1)
})

test('a stored route that is none costs its own environment the route, and nobody else', async () => {
  await set('one')
  await set('two')
  for (const entry of [
    '"x"',
    '[7]',
    '{"hosts": "x"}',
    '{"hosts": ["one.localhost"], "mode": "serve", "targets": [{}]}',
  ]) {
    await database.db.query('update routes set entry = $1::jsonb where environment_id = $2', [entry, 'one'])
    const whole = await table(undefined)
    assert.deepEqual(
      whole.entries.map((route) => route.environmentId),
      ['two'],
    )
  }
})

const release = (openRequests: number, more: Partial<ReleaseMetrics> = {}): ReleaseMetrics => ({
  environmentId: 'env-1',
  releaseId: 'rel-1',
  requests: 10,
  responses: { '2xx': 9, router_502: 1 },
  durationBuckets: new Array(14).fill(10),
  durationSumMs: 20,
  openRequests,
  openUpgrades: 0,
  openByInstance: { 'ins-1': openRequests },
  ...more,
})

test('open requests are the sum of all routers, and unknown until each has reported', async () => {
  assert.equal(routing.openRequests('ins-1'), undefined, 'routers of before may still come back')
  aheadMs += 3000
  assert.equal(routing.openRequests('ins-1'), 0)
  await table(undefined, 'a')
  assert.equal(routing.openRequests('ins-1'), undefined)
  await call('POST', '/metrics', { routerId: 'a', full: true, releases: [release(2)] })
  await call('POST', '/metrics', { routerId: 'b', full: true, releases: [release(3)] })
  assert.equal(routing.openRequests('ins-1'), 5)
  assert.equal(routing.openRequests('ins-2'), 0)
})

test('a router that leaves takes its open requests with it but not its counts', async () => {
  await call('POST', '/metrics', { routerId: 'a', full: true, releases: [release(2)] })
  await call('POST', '/metrics', { routerId: 'b', full: true, releases: [release(1)] })
  await call('DELETE', '/routers/a')
  const [merged] = routing.metrics().releases
  assert.deepEqual([merged?.requests, merged?.openRequests, merged?.durationSumMs], [20, 1, 40])
  assert.deepEqual(merged?.responses, { '2xx': 18, router_502: 2 })
  assert.deepEqual(merged?.openByInstance, { 'ins-1': 1 })
})

test('after a full report the changes are enough, and only after one', async () => {
  const report = (full: boolean, releases: ReleaseMetrics[]) =>
    call('POST', '/metrics', { routerId: 'a', full, releases })
  assert.equal((await report(false, [release(1)])).status, 409)
  assert.equal((await report(true, [release(1), release(2, { releaseId: 'rel-2' })])).status, 204)
  aheadMs += 3000
  assert.equal(routing.openRequests('ins-1'), 3)
  await report(false, [release(0, { requests: 11 })])
  assert.equal(routing.openRequests('ins-1'), 2)
  await report(true, [release(0, { requests: 12 })])
  assert.equal(routing.openRequests('ins-1'), 0)
  const requests = new Map(routing.metrics().releases.map((each) => [each.releaseId, each.requests]))
  assert.deepEqual(
    requests,
    new Map([
      ['rel-2', 10],
      ['rel-1', 12],
    ]),
  )
})

test('only its owner may connect', () => {
  assert.equal(statSync(socketPath).mode & 0o777, 0o600)
})
