import assert from 'node:assert/strict'
import type { statfs } from 'node:fs/promises'
import { after, before, describe, it } from 'node:test'
import { permissions } from '@gantry/api'
import { insertTestToken, testSecrets } from '../../test/support/access.ts'
import { createTestDatabase, type TestDatabase } from '../../test/support/database.ts'
import { startTestServer, type TestServer } from '../../test/support/http.ts'
import { createFakeEngine } from '../engines/fake/fake-engine.ts'
import { systemClock } from '../kernel/clock.ts'
import { databaseCheck, diskCheck, type HealthCheck, platformRoutes, routersCheck, supervisorCheck } from './index.ts'
import type { MasterKeyFacts } from './key-rotation.ts'

const signal = new AbortController().signal

const masterKey = {
  key: { id: testSecrets.keyId, isCurrent: true, createdAt: new Date() },
  sealed: 3,
  rotation: undefined,
  left: 0,
  isOnDisk: true,
} satisfies MasterKeyFacts

describe('the platform', () => {
  let server: TestServer
  const hanging: HealthCheck = { name: 'hanging', run: () => new Promise(() => undefined) }
  const failing: HealthCheck = { name: 'failing', run: async () => Promise.reject(new Error('the cable is out')) }
  const checks: HealthCheck[] = []
  const requests: string[] = []
  const keys = {
    request: async (by: string) => void requests.push(by),
    facts: async () => masterKey,
  }
  before(async () => {
    server = await startTestServer({
      endpoints: ({ db }) =>
        platformRoutes({
          version: '0.1.0',
          engine: createFakeEngine(systemClock),
          checks: [databaseCheck(db, systemClock), { name: 'changing', run: (s) => (checks[0] ?? passing).run(s) }],
          keys,
          domain: 'localhost',
          httpPort: 8080,
          startedAt: new Date(),
        }),
    })
  })
  after(() => server.close())
  const passing: HealthCheck = { name: 'passing', run: async () => ({ status: 'ok', message: 'fine' }) }

  it('tells version, engine and health', async () => {
    const { status, json } = await server.send('/v1/platform')
    assert.equal(status, 200)
    assert.deepEqual([json.version, json.engine, json.status], ['0.1.0', 'fake', 'ok'])
    assert.deepEqual(
      json.checks.map((check: { name: string }) => check.name),
      ['engine', 'database', 'changing'],
    )
    assert.match(json.checks[1].message, /^PostgreSQL \d+\S* answers in \d+ ms$/)
  })

  it('rotates its key for an owner, and for nobody else', async () => {
    const path = '/v1/platform/rotate_key'
    const asked = await server.send(path, { method: 'POST' })
    assert.equal(asked.status, 202)
    assert.match(asked.headers.get('location') ?? '', /\/v1\/platform$/)
    assert.deepEqual([asked.json.master_key.id, asked.json.master_key.status], [testSecrets.keyId, 'settled'])
    assert.equal(requests.length, 1)
    const { teamId } = server.owner
    const token = await insertTestToken(server.database.db, { teamId, role: 'admin', scopes: permissions })
    const refused = await server.send(path, { method: 'POST', headers: { authorization: `Bearer ${token}` } })
    assert.deepEqual([refused.status, refused.json.errors[0].code, requests.length], [403, 'forbidden', 1])
  })

  it('is degraded by a check that fails, and says why; a hanging one holds up nothing', async () => {
    checks[0] = failing
    const failed = (await server.send('/v1/platform')).json
    assert.deepEqual([failed.status, failed.checks[2].message], ['degraded', 'the cable is out'])
    checks[0] = hanging
    const late = (await server.send('/v1/platform')).json
    assert.deepEqual([late.status, late.checks[2].message], ['degraded', 'no answer within 3 s'])
  })
})

describe('the checks', () => {
  it('warn of little disk space, and fail before there is none', async () => {
    const sizes = (freeGiB: number) =>
      (async () => ({ bavail: freeGiB * 1024 ** 2, blocks: 100 * 1024 ** 2, bsize: 1024 })) as unknown as typeof statfs
    const statuses = await Promise.all(
      [50, 4, 1, 0.1].map(async (free) => (await diskCheck('/', sizes(free)).run(signal)).status),
    )
    assert.deepEqual(statuses, ['ok', 'warning', 'warning', 'failed'])
  })

  it('tell of programs that do not run', async () => {
    const program = { name: 'router', state: 'running', restarts: 0 } as const
    const check = (programs: readonly object[]) =>
      supervisorCheck(async () => ({ pid: 7, startedAt: '', programs }) as never).run(signal)
    assert.equal((await check([program])).status, 'ok')
    assert.match(
      (await check([{ ...program, restarts: 2, message: 'exit code 1' }])).message,
      /restarted router \(exit code 1\)/,
    )
    assert.equal((await check([{ ...program, state: 'waiting' }])).status, 'warning')
  })

  it('count routers by their leases', async () => {
    const test: TestDatabase = await createTestDatabase()
    const check = routersCheck(test.db)
    assert.equal((await check.run(signal)).status, 'failed')
    await test.db.query(
      "insert into routers values ('r1', 5, now() + interval '30 s'), ('r2', 9, now() - interval '1 s')",
    )
    assert.equal((await check.run(signal)).status, 'ok')
    await test.db.query("insert into routes (environment_id, revision, boot_id) values ('env-1', 6, 'b')")
    assert.equal((await check.run(signal)).status, 'warning')
    await test.close()
  })
})
