import assert from 'node:assert/strict'
import { createConnection } from 'node:net'
import { after, before, beforeEach, describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import { createApp, createSource, getApp, listApps, openapiText, streamDeployLog, updateApp } from '@gantry/api'
import { insertTestToken } from '../../test/support/access.ts'
import { startTestServer, type TestServer } from '../../test/support/http.ts'
import { bind } from '../access/index.ts'
import { checkIfMatch, withEntityTag } from '../kernel/entity-tag.ts'

const app = (baseUrl: string, name = 'shop') =>
  withEntityTag({
    id: 'app-01j9zq7c8m4t5v6w7x8y9zabcd',
    href: `${baseUrl}/v1/apps/app-01j9zq7c8m4t5v6w7x8y9zabcd`,
    name,
    git_url: `${baseUrl}/git/${name}.git`,
    branch: 'main',
    root: '',
    created_at: '2026-08-22T09:30:00.000Z',
    updated_at: '2026-08-22T09:30:00.000Z',
  })

/** What the handlers below were given, and levers that they obey. */
interface Seen {
  created: number
  uploaded: string
  gate: Promise<void> | undefined
  fail: unknown
  streamed: { signal?: AbortSignal; lastEventId?: string | undefined }
}

describe('the HTTP server', { timeout: 60_000 }, () => {
  let server: TestServer
  const seen: Seen = { created: 0, uploaded: '', gate: undefined, fail: undefined, streamed: {} }
  before(async () => {
    server = await startTestServer({ endpoints: () => handlers })
  })
  after(() => server.close())
  beforeEach(() => {
    Object.assign(seen, { created: 0, uploaded: '', gate: undefined, fail: undefined, streamed: {} })
  })
  const handlers = [
    bind(listApps, ({ query, baseUrl }) => {
      if (seen.fail) throw seen.fail
      return { apps: [app(baseUrl)], limit: query.limit, first: { href: `${baseUrl}/v1/apps?limit=${query.limit}` } }
    }),
    bind(createApp, async ({ body, baseUrl }) => {
      await seen.gate
      seen.created++
      if (seen.fail) throw seen.fail
      return app(baseUrl, body.name)
    }),
    bind(getApp, ({ baseUrl }) => app(baseUrl)),
    bind(updateApp, ({ headers, baseUrl }) => {
      checkIfMatch(headers.ifMatch, app(baseUrl).etag)
      return app(baseUrl)
    }),
    bind(createSource, async ({ upload, baseUrl }) => {
      for await (const chunk of upload) seen.uploaded += chunk
      return withEntityTag({
        id: 'src-01j9zq7c8m4t5v6w7x8y9zabcd',
        href: `${baseUrl}/v1/sources/src-01j9zq7c8m4t5v6w7x8y9zabcd`,
        app: { id: 'app-01j9zq7c8m4t5v6w7x8y9zabcd', name: 'shop', href: `${baseUrl}/v1/apps/app-1` },
        commit_sha: 'a'.repeat(40),
        size_bytes: seen.uploaded.length,
        file_count: 1,
        created_at: '2026-08-22T09:30:00.000Z',
      })
    }),
    bind(streamDeployLog, async ({ signal, headers }) => {
      seen.streamed = { signal, lastEventId: headers.lastEventId }
      return lines(signal)
    }),
  ]
  async function* lines(signal: AbortSignal) {
    const data = { id: '00000001-0', at: '2026-08-22T09:30:00.000Z', source: 'deploy', message: 'a\nb' }
    yield { event: 'log', id: data.id, data } as const
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
  }
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

  it('refuses bodies that are not exactly what was meant', async () => {
    const bad: [string | Uint8Array<ArrayBuffer>, string][] = [
      ['', 'invalid_json'],
      ['{', 'invalid_json'],
      ['[]', 'invalid_field'],
      ['null', 'invalid_field'],
      ['{}', 'missing_field'],
      ['{"name":1}', 'invalid_field'],
      ['{"name":"shop","name":"other"}', 'invalid_json'],
      ['{"name":"shop","n\\u0061me":"other"}', 'invalid_json'],
      ['{"name":"shop","nope":1}', 'unknown_field'],
      ['{"name":"shop","__proto__":{"x":1}}', 'unknown_field'],
      ['{"name":"sh\\u0000op"}', 'invalid_field'],
      ['{"name":"\\ud800"}', 'invalid_field'],
      [`{"name":${'['.repeat(40)}${']'.repeat(40)}}`, 'invalid_json'],
      ['{"name":"Shop"}', 'name_invalid'],
      ['{"name":"a--b"}', 'name_invalid'],
      [new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x7d]), 'invalid_json'],
      ['\ufeff{"name":"shop"}', 'invalid_json'],
    ]
    for (const [body, code] of bad) {
      const reply = await post(body)
      assert.deepEqual([reply.status, codeOf(reply)], [400, code], String(body))
    }
    assert.equal(seen.created, 0)
  })

  it('refuses other media types, encodings and sizes before it reads', async () => {
    const type = await post('name=shop', { 'content-type': 'application/x-www-form-urlencoded' })
    assert.deepEqual([type.status, codeOf(type)], [415, 'unsupported_media_type'])
    assert.equal((await post('{}', { 'content-type': 'application/json; charset=latin1' })).status, 415)
    assert.equal((await post('{}', { 'content-encoding': 'gzip' })).status, 415)
    assert.equal((await post('{"name":"shop"}', { 'content-type': 'application/json; charset=UTF-8' })).status, 201)
    const large = await post(`{"name":"${'x'.repeat(3 * 1024 * 1024)}"}`)
    assert.deepEqual([large.status, codeOf(large)], [413, 'payload_too_large'])
    const patch = { method: 'PATCH', body: '{}', headers: { 'content-type': 'application/json' } }
    assert.equal((await server.send('/v1/apps/shop', patch)).status, 415)
  })

  it('refuses queries with anything unknown, twice or undecodable, all problems at once', async () => {
    const cases: [string, string][] = [
      ['?nope=1', 'unknown_parameter'],
      ['?limit=1&limit=2', 'invalid_parameter'],
      ['?limit=0', 'invalid_parameter'],
      ['?limit=101', 'invalid_parameter'],
      ['?limit=1e1', 'invalid_parameter'],
      ['?limit=%ff', 'invalid_request'],
      ['?start=%00', 'invalid_parameter'],
      ['?__proto__=1', 'unknown_parameter'],
      ['?', ''],
      ['?limit=100', ''],
    ]
    for (const [query, code] of cases) {
      const reply = await server.send(`/v1/apps${query}`)
      assert.deepEqual([reply.status, code && codeOf(reply)], [code ? 400 : 200, code], query)
    }
    const both = await server.send('/v1/apps?limit=x&nope=1')
    assert.equal(both.json.errors.length, 2)
    assert.deepEqual(both.json.errors[0].target.type, 'parameter')
    assert.equal((await server.send('/v1/apps/shop?x=1')).status, 400)
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

  it('streams an upload, also gzipped, and cuts one that is too large', async () => {
    const upload = (body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) =>
      server.send('/v1/sources?app_id=shop', {
        method: 'POST',
        body,
        headers: { 'content-type': 'application/x-tar', ...headers },
      })
    assert.equal((await upload('tar bytes')).status, 201)
    assert.equal(seen.uploaded, 'tar bytes')
    seen.uploaded = ''
    const gzipped = new Uint8Array(gzipSync('more bytes'))
    assert.equal((await upload(gzipped, { 'content-encoding': 'gzip' })).status, 201)
    assert.equal(seen.uploaded, 'more bytes')
    const broken = await upload('not gzip', { 'content-encoding': 'gzip' })
    assert.deepEqual([broken.status, codeOf(broken)], [400, 'archive_invalid'])
    assert.equal((await upload('x', { 'content-encoding': 'br' })).status, 415)
    assert.equal((await upload('x', { 'content-type': 'application/json' })).status, 415)
    const reply = await raw(
      `POST /v1/sources?app_id=shop HTTP/1.1\r\nHost: x\r\nAuthorization: ${server.bearer}\r\nContent-Type: application/x-tar\r\nContent-Length: 99999999999\r\nExpect: 100-continue\r\n\r\n`,
    )
    assert.match(reply, /^HTTP\/1.1 413 /)
  })

  it('answers before it reads a body that it will not take', async () => {
    const head =
      'POST /v1/apps HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello'
    assert.match(await raw(head), /^HTTP\/1.1 401 /)
  })

  it('refuses what is not HTTP, and hosts that are none', async () => {
    const authorization = `Authorization: ${server.bearer}`
    assert.match(await raw('nonsense\r\n\r\n'), /^HTTP\/1.1 400 [\s\S]*"invalid_request"/)
    assert.match(
      await raw(`GET /v1/apps HTTP/1.1\r\nHost: a\r\nHost: b\r\n${authorization}\r\n\r\n`),
      /^HTTP\/1.1 400 /,
    )
    assert.match(await raw(`GET /v1/apps HTTP/1.1\r\nHost: a/b@c\r\n${authorization}\r\n\r\n`), /^HTTP\/1.1 400 /)
    assert.match(
      await raw(`GET /v1/apps HTTP/1.1\r\nHost: [::1]:4400\r\n${authorization}\r\n\r\n`),
      /http:\/\/\[::1\]:4400\/v1\/apps/,
    )
    const forwarded = `GET /v1/apps HTTP/1.1\r\nHost: here\r\nX-Forwarded-Host: evil\r\n${authorization}\r\n\r\n`
    assert.ok(!(await raw(forwarded)).includes('evil'))
    assert.match(await raw(`GET //evil.com/ HTTP/1.1\r\nHost: here\r\n${authorization}\r\n\r\n`), /^HTTP\/1.1 404 /)
  })

  /** Sends bytes as they are; the reply up to the end of its head and what came with it. */
  function raw(text: string): Promise<string> {
    return new Promise((resolve, reject) => {
      let received = ''
      const socket = createConnection(server.port, '127.0.0.1', () => socket.write(text))
      socket.setEncoding('utf8').on('data', (chunk) => {
        received += chunk
        const [head = '', ...body] = received.split('\r\n\r\n')
        const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0)
        if (body.length > 0 && Buffer.byteLength(body.join('\r\n\r\n')) >= length) socket.destroy()
      })
      socket.once('close', () => resolve(received))
      socket.once('error', reject)
    })
  }

  it('streams events until the client leaves', async () => {
    const abort = new AbortController()
    const response = await openStream(abort.signal, { 'last-event-id': '00000001-7' })
    assert.equal(response.headers.get('content-type'), 'text/event-stream')
    assert.equal(
      await firstChunk(response),
      'id: 00000001-0\nevent: log\ndata: {"id":"00000001-0","at":"2026-08-22T09:30:00.000Z","source":"deploy","message":"a\\nb"}\n\n',
    )
    assert.equal(seen.streamed.lastEventId, '00000001-7')
    abort.abort()
    await aborted(seen.streamed.signal)
  })

  it('ends a stream when its token is revoked', async () => {
    const { teamId } = server.owner
    const { db } = server.database
    const token = await insertTestToken(db, { teamId, role: 'owner', scopes: ['log:read', 'deploy:read'] })
    const response = await openStream(undefined, { authorization: `Bearer ${token}` })
    await db.query("update tokens set revoked_at = now() where name = 'test'")
    let text = ''
    for await (const chunk of response.body ?? []) text += Buffer.from(chunk).toString()
    assert.match(text, /event: log/)
    await aborted(seen.streamed.signal)
  })

  function openStream(signal: AbortSignal | undefined, headers: Record<string, string> = {}) {
    return fetch(`http://127.0.0.1:${server.port}/v1/deploys/some-id/log_stream`, {
      headers: { authorization: server.bearer, accept: 'text/event-stream', ...headers },
      ...(signal ? { signal } : {}),
    })
  }
  async function firstChunk(response: Response): Promise<string> {
    const reader = response.body?.getReader()
    const { value } = (await reader?.read()) ?? {}
    reader?.releaseLock()
    return Buffer.from(value ?? []).toString()
  }
  async function aborted(signal: AbortSignal | undefined) {
    assert.ok(signal)
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
  }

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

describe('closing', { timeout: 60_000 }, () => {
  it('ends streams, lets requests finish, and takes no new one', async () => {
    const gate = Promise.withResolvers<void>()
    const arrived = Promise.withResolvers<void>()
    const streaming = Promise.withResolvers<AbortSignal>()
    const server = await startTestServer({
      endpoints: () => [
        bind(getApp, async ({ baseUrl }) => {
          arrived.resolve()
          await gate.promise
          return app(baseUrl)
        }),
        bind(streamDeployLog, async ({ signal }) => {
          streaming.resolve(signal)
          return silence(signal)
        }),
      ],
    })
    async function* silence(signal: AbortSignal) {
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
      yield* []
    }
    const stream = await fetch(`http://127.0.0.1:${server.port}/v1/deploys/some-id/log_stream`, {
      headers: { authorization: server.bearer },
    })
    const slow = server.send('/v1/apps/shop')
    await Promise.all([arrived.promise, streaming.promise])
    const closed = server.close()
    assert.equal(await stream.text(), '')
    gate.resolve()
    assert.equal((await slow).status, 200)
    await closed
    await assert.rejects(fetch(`http://127.0.0.1:${server.port}/healthz`))
  })
})
