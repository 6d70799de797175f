import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type Endpoint, endpoints, permissions } from '@gantry/api'
import { insertTestToken } from '../../test/support/access.ts'
import { startTestServer, type TestServer } from '../../test/support/http.ts'
import type { BoundEndpoint } from '../access/index.ts'
import { UserError } from '../kernel/errors.ts'

/** Every operation of the contract, with a handler that only says that it was reached. */
const own = endpoints.filter(({ tag }) => ['tokens', 'members', 'audit'].includes(tag)).map((e) => e.operationId)
const others = endpoints.filter((endpoint) => !own.includes(endpoint.operationId))

describe('authorization, operation by operation', () => {
  let server: TestServer
  const reached: string[] = []
  const headersOf: Record<string, Record<string, string>> = { anonymous: { authorization: '' } }
  before(async () => {
    server = await startTestServer({ endpoints: () => others.map(sayReached), badTokensPerMinute: 10_000 })
    const { db } = server.database
    const { teamId } = server.owner
    const past = new Date(Date.now() - 60_000)
    const bearer = async (wishes: object) => ({
      authorization: `Bearer ${await insertTestToken(db, { teamId, role: 'owner', scopes: permissions, ...wishes })}`,
    })
    headersOf.malformed = { authorization: 'Bearer not-a-token' }
    headersOf.unknown = { authorization: `Bearer gantry_${'x'.repeat(43)}` }
    headersOf.basic = { authorization: `Basic ${Buffer.from(`x:${server.token}`).toString('base64')}` }
    headersOf.expired = await bearer({ expiresAt: past })
    headersOf.revoked = await bearer({ revokedAt: past })
  })
  after(() => server.close())

  function sayReached(endpoint: Endpoint): BoundEndpoint {
    return {
      endpoint,
      handle: async () => {
        reached.push(endpoint.operationId)
        throw new UserError('not_found', 'reached')
      },
    }
  }

  function requestOf(endpoint: Endpoint) {
    const path = endpoint.path.replace(/\{[a-z_]+\}/g, 'some-id')
    const example = endpoint.body && 'example' in endpoint.body ? endpoint.body.example : undefined
    const upload = endpoint.body && 'maxBytes' in endpoint.body
    const query = endpoint.operationId === 'create_source' ? '?app_id=shop' : ''
    return {
      path: `${path}${query}`,
      method: endpoint.method,
      ...(example ? { body: example } : {}),
      ...(upload ? { body: 'x' } : {}),
      headers: upload ? { 'content-type': 'application/x-tar' } : {},
    }
  }

  for (const endpoint of endpoints) {
    it(`${endpoint.operationId}: 401 without a token that works, 403 without ${endpoint.permission}, then the handler`, async () => {
      const { path, headers, ...init } = requestOf(endpoint)
      for (const [who, more] of Object.entries(headersOf)) {
        const reply = await server.send(path, { ...init, headers: { ...headers, ...more } })
        assert.equal(reply.status, 401, who)
        assert.match(reply.headers.get('www-authenticate') ?? '', /^Bearer /)
      }
      const { teamId } = server.owner
      const without = permissions.filter((permission) => permission !== endpoint.permission)
      const most = await insertTestToken(server.database.db, { teamId, role: 'owner', scopes: without })
      const refused = await server.send(path, { ...init, headers: { ...headers, authorization: `Bearer ${most}` } })
      assert.deepEqual([refused.status, refused.json.errors[0].code], [403, 'forbidden'])
      assert.ok(!reached.includes(endpoint.operationId))
      if (own.includes(endpoint.operationId)) return
      const least = await insertTestToken(server.database.db, { teamId, role: 'owner', scopes: [endpoint.permission] })
      await server.send(path, { ...init, headers: { ...headers, authorization: `Bearer ${least}` } }).catch((error) => {
        // the invented 404 is documented by most operations and not by all
        if (!/404/.test(String(error))) throw error
      })
      assert.ok(reached.includes(endpoint.operationId), 'the handler was reached')
    })
  }

  it('lets a viewer read, and change nothing but tokens of their own', async () => {
    const { teamId } = server.owner
    const viewer = await insertTestToken(server.database.db, { teamId, role: 'viewer', scopes: permissions })
    for (const endpoint of endpoints.filter(({ method, tag }) => method !== 'GET' && tag !== 'tokens')) {
      const { path, headers, ...init } = requestOf(endpoint)
      const reply = await server.send(path, { ...init, headers: { ...headers, authorization: `Bearer ${viewer}` } })
      assert.equal(reply.status, 403, endpoint.operationId)
    }
  })
})
