import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import { openapiText } from '@gantry/api'
import { insertTestToken } from '../../test/support/access.ts'
import { createExampleEndpoints } from '../../test/support/example-endpoints.ts'
import { startTestServer, type TestServer } from '../../test/support/http.ts'

describe('the conventions', { timeout: 60_000 }, () => {
  let server: TestServer
  const { seen, handlers } = createExampleEndpoints()
  before(async () => {
    server = await startTestServer({ endpoints: () => handlers })
  })
  after(() => server.close())
  beforeEach(() => {
    Object.assign(seen, { created: 0, uploaded: '', gate: undefined, fail: undefined, streamed: {} })
  })
  const codeOf = (reply: { json: { errors: { code: string }[] } }) => reply.json.errors[0]?.code
  /** For what the document does not have. */
  const unchecked = (path: string, init: RequestInit = {}) =>
    fetch(`http://127.0.0.1:${server.port}${path}`, { headers: { authorization: server.bearer }, ...init })
  const post = (body: object | string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) =>
    server.send('/v1/apps', { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } })

  it('answers what it makes with its place and its tag', async () => {
    const made = await post({ name: 'shop' }, { 'x-request-id': 'my request 1' })
    assert.equal(made.status, 201)
    assert.equal(made.headers.get('location'), made.json.href)
    assert.equal(made.headers.get('content-location'), made.json.href)
    assert.equal(made.headers.get('etag'), made.json.etag)
    assert.equal(made.headers.get('x-request-id'), 'my request 1')
    assert.equal(made.headers.get('server'), 'Gantry/0.1.0')
    assert.match(made.headers.get('ratelimit') ?? '', /^"default";r=\d+;t=\d+$/)
    assert.equal(made.headers.get('x-content-type-options'), 'nosniff')
    assert.ok(made.json.href.startsWith('http://127.0.0.1:'))
  })

  it('replaces a request id that is none', async () => {
    for (const bad of ['short', 'evil<script>', 'x'.repeat(1025)]) {
      const reply = await server.send('/v1/apps', { headers: { 'x-request-id': bad } })
      assert.match(reply.headers.get('x-request-id') ?? '', /^[0-9a-f-]{36}$/)
    }
  })

  it('knows its paths and methods, in the order of the conventions', async () => {
    const put = await server.send('/v1/apps', { method: 'PUT' })
    assert.deepEqual([put.status, put.headers.get('allow')], [405, 'GET, POST'])
    assert.equal((await unchecked('/v1/apps', { method: 'HEAD' })).status, 405)
    assert.equal((await server.send('/v1/nothing')).status, 404)
    assert.equal((await server.send('/v1/nothing', { headers: { authorization: '' } })).status, 401)
    const long = `/v1/apps/${'x'.repeat(8000)}`
    assert.deepEqual((await server.send(long)).status, 414)
    assert.equal((await server.send(long, { headers: { authorization: '' } })).status, 401)
    assert.equal((await server.send('/v1/apps/%ff')).status, 400)
    assert.equal((await server.send('/v1/apps/UPPER')).status, 400)
    assert.equal((await server.send('/v1/apps/a%2Fb')).status, 400)
    const slash = await server.send('/v1/apps/?limit=3')
    assert.deepEqual(
      [slash.status, slash.headers.get('location')],
      [301, `${server.url.replace('localhost', '127.0.0.1')}/v1/apps?limit=3`],
    )
  })

  it('answers only what the caller accepts, and problem+json to those who ask', async () => {
    const accept = (value: string) => server.send('/v1/apps', { headers: { accept: value } })
    for (const fine of ['*/*', 'application/*', 'application/json;q=0.1, text/html', 'text/html, */*;q=0.1']) {
      assert.equal((await accept(fine)).status, 200, fine)
    }
    for (const none of ['text/html', 'application/json;q=0', 'text/event-stream']) {
      assert.equal((await accept(none)).status, 406, none)
    }
    const problem = await server.send('/v1/nothing', {
      headers: { accept: 'application/problem+json, application/json' },
    })
    assert.equal(problem.headers.get('content-type'), 'application/problem+json')
    assert.equal(problem.json.trace, problem.headers.get('x-request-id'))
    const plain = await server.send('/v1/nothing', {
      headers: { accept: 'application/json, application/problem+json;q=0.5' },
    })
    assert.equal(plain.headers.get('content-type'), 'application/json')
  })

  it('keeps to entity tags, and refuses preconditions that it would not check', async () => {
    const { headers } = await server.send('/v1/apps/shop')
    const etag = headers.get('etag') ?? ''
    for (const current of [etag, `"other", ${etag}`, '*', `W/${etag}`]) {
      const cached = await server.send('/v1/apps/shop', { headers: { 'if-none-match': current } })
      assert.deepEqual([cached.status, cached.text, cached.headers.get('etag')], [304, '', etag], current)
    }
    assert.equal((await server.send('/v1/apps/shop', { headers: { 'if-none-match': '"old"' } })).status, 200)
    const patch = (more: Record<string, string>) =>
      server.send('/v1/apps/shop', {
        method: 'PATCH',
        body: {},
        headers: { 'content-type': 'application/merge-patch+json', ...more },
      })
    assert.equal((await patch({ 'if-match': etag })).status, 200)
    assert.equal((await patch({ 'if-match': '"stale"' })).status, 412)
    for (const bad of ['nonsense', '"open', '']) assert.equal((await patch({ 'if-match': bad })).status, 400, bad)
    assert.equal((await patch({ 'if-unmodified-since': 'Sat, 22 Aug 2026 09:30:00 GMT' })).status, 400)
    assert.equal((await post({ name: 'shop' }, { 'if-match': etag })).status, 400)
    assert.equal((await post({ name: 'shop' }, { 'if-none-match': '*' })).status, 400)
  })

  it('runs a request with an idempotency key once, and replays its answer', async () => {
    const key = { 'idempotency-key': '"key 1"' }
    const first = await post({ name: 'once' }, key)
    const second = await post({ name: 'once' }, key)
    assert.deepEqual([second.status, second.text, seen.created], [201, first.text, 1])
    assert.equal(second.headers.get('location'), first.headers.get('location'))
    const other = await post({ name: 'twice' }, key)
    assert.deepEqual([other.status, codeOf(other)], [400, 'idempotency_key_reused'])
    const { teamId } = server.owner
    const token = await insertTestToken(server.database.db, { teamId, role: 'owner', scopes: ['app:create'] })
    await post({ name: 'once' }, { ...key, authorization: `Bearer ${token}` })
    assert.equal(seen.created, 2, 'a key belongs to its token')
    assert.equal((await post({ name: 'once' }, { 'idempotency-key': 'bare-key' })).status, 201)
    assert.equal((await post({ name: 'once' }, { 'idempotency-key': 'two words' })).status, 400)
  })

  it('says that the first one is still running, and forgets one that failed', async () => {
    const gate = Promise.withResolvers<void>()
    seen.gate = gate.promise
    const key = { 'idempotency-key': 'slow' }
    const first = post({ name: 'slow' }, key)
    for (;;) {
      const rows = await server.database.db.query("select 1 from idempotency_keys where key = 'slow'")
      if (rows.length > 0) break
    }
    const second = await post({ name: 'slow' }, key)
    assert.deepEqual([second.status, codeOf(second)], [409, 'idempotency_key_in_use'])
    gate.resolve()
    assert.equal((await first).status, 201)
    seen.fail = new Error('boom')
    assert.equal((await post({ name: 'failing' }, { 'idempotency-key': 'f' })).status, 500)
    seen.fail = undefined
    assert.equal((await post({ name: 'failing' }, { 'idempotency-key': 'f' })).status, 201)
  })

  it('tells a fault of its own apart, and nothing of its inside', async () => {
    seen.fail = new Error('secret detail at /home/x')
    const fault = await server.send('/v1/apps')
    assert.deepEqual([fault.status, codeOf(fault)], [500, 'internal_error'])
    assert.ok(!fault.text.includes('secret detail'))
    seen.fail = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
    const away = await server.send('/v1/apps')
    assert.deepEqual([away.status, codeOf(away), away.headers.get('retry-after')], [503, 'service_unavailable', '1'])
    seen.fail = Object.assign(new Error('no room'), { code: 'ENOSPC' })
    const full = await fetch(`http://127.0.0.1:${server.port}/v1/apps`, { headers: { authorization: server.bearer } })
    assert.equal(full.status, 503)
  })

  it('serves the document that is linted, byte for byte, and to everybody', async () => {
    const reply = await fetch(`http://127.0.0.1:${server.port}/v1/openapi.json`)
    assert.deepEqual([reply.status, reply.headers.get('content-type')], [200, 'application/json'])
    assert.equal(await reply.text(), openapiText())
    const health = await fetch(`http://127.0.0.1:${server.port}/healthz`)
    assert.equal(await health.text(), 'ok\n')
  })
})

describe('limits', { timeout: 60_000 }, () => {
  it('answer 429 with the time to wait, before anything else', async () => {
    const server = await startTestServer({ requestsPerMinute: 3 })
    for (let n = 0; n < 3; n++) assert.equal((await server.send('/v1/tokens')).status, 200)
    const limited = await server.send('/v1/tokens?nope=1')
    assert.deepEqual([limited.status, limited.json.errors[0].code], [429, 'rate_limited'])
    assert.match(limited.headers.get('retry-after') ?? '', /^\d+$/)
    assert.match(limited.headers.get('ratelimit') ?? '', /^"default";r=0;/)
    const anonymous = await server.send('/v1/tokens', { headers: { authorization: '' } })
    assert.equal(anonymous.status, 401, 'others are counted for themselves')
    await server.close()
  })

  it('answer guesses with 429 after a while, and let the right token pass all the same', async () => {
    const server = await startTestServer()
    const statuses = new Set<number>()
    for (let n = 0; n < 70; n++) {
      const authorization = `Bearer gantry_${String(n).padStart(43, '0')}`
      statuses.add((await server.send('/v1/tokens', { headers: { authorization } })).status)
    }
    assert.deepEqual([...statuses], [401, 429])
    assert.equal((await server.send('/v1/tokens')).status, 200)
    await server.close()
  })
})
