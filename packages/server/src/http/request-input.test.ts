import assert from 'node:assert/strict'
import { createConnection } from 'node:net'
import { after, before, beforeEach, describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import { createExampleEndpoints } from '../../test/support/example-endpoints.ts'
import { startTestServer, type TestServer } from '../../test/support/http.ts'

describe('what comes in', { timeout: 60_000 }, () => {
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
  const post = (body: object | string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) =>
    server.send('/v1/apps', { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } })

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
      ['?%0a%1b=1', 'unknown_parameter'],
      ['?a%00b=1', 'unknown_parameter'],
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

  it('refuses a content type that is none as any other that it does not take', async () => {
    for (const type of ['ext::sh -c x', 'a', '/', ';', '"', 'a/b/c', '\u00e9/json', ',']) {
      const reply = await server.send('/v1/apps', { method: 'POST', body: '{}', headers: { 'content-type': type } })
      assert.deepEqual([reply.status, codeOf(reply)], [415, 'unsupported_media_type'], type)
    }
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
    for (const host of ['99999999999999999999999', 'a:99999', '256.256.256.256'])
      assert.match(await raw(`GET /v1/apps HTTP/1.1\r\nHost: ${host}\r\n${authorization}\r\n\r\n`), /^HTTP\/1.1 400 /)
    const noHost = await raw(`GET /v1/apps HTTP/1.1\r\nHost: a/b@c\r\n${authorization}\r\n\r\n`)
    assert.match(noHost, /^HTTP\/1.1 400 [\s\S]*\r\nratelimit: "default";r=/i)
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
})
