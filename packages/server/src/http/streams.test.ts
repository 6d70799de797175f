import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import { getApp, streamDeployLog } from '@gantry/api'
import { insertTestToken } from '../../test/support/access.ts'
import { createExampleEndpoints, exampleApp } from '../../test/support/example-endpoints.ts'
import { startTestServer, type TestServer } from '../../test/support/http.ts'
import { bind } from '../access/index.ts'

describe('event streams', { timeout: 60_000 }, () => {
  let server: TestServer
  const { seen, handlers } = createExampleEndpoints()
  before(async () => {
    server = await startTestServer({ endpoints: () => handlers })
  })
  after(() => server.close())
  beforeEach(() => {
    Object.assign(seen, { created: 0, uploaded: '', gate: undefined, fail: undefined, streamed: {} })
  })

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
          return exampleApp(baseUrl)
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
