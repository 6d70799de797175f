import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import type { ClientOptions } from './client/request.ts'
import {
  ApiError,
  type Client,
  cancelDeploy,
  createApp,
  createClient,
  createSource,
  createToken,
  deleteApp,
  getApp,
  type LogEvent,
  listApps,
  streamDeployLog,
  streamEnvironmentLog,
  toErrorContainer,
  UnreachableError,
  updateApp,
} from './index.ts'

interface Served {
  readonly client: Client
  readonly requests: IncomingMessage[]
  readonly bodies: string[]
}

/** A real server; `answer` is called with each request, when its body has been read. */
async function serve(t: TestContext, answer: RequestListener, options: Partial<ClientOptions> = {}): Promise<Served> {
  const requests: IncomingMessage[] = []
  const bodies: string[] = []
  const server = createServer(async (request, response) => {
    requests.push(request)
    let body = ''
    for await (const chunk of request) body += chunk
    bodies.push(body)
    answer(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  return { client: createClient({ baseUrl, token: 'gantry_secret', retryDelayMs: 1, ...options }), requests, bodies }
}

function json(response: ServerResponse, status: number, body: object, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', 'x-request-id': '0123456789', ...headers })
  response.end(JSON.stringify(body))
}

const refuse = (response: ServerResponse, code: 'not_found' | 'service_unavailable' | 'rate_limited') => {
  const body = toErrorContainer('http://localhost', '0123456789', [{ code, message: `It is ${code}.` }])
  json(response, body.status, body)
}

test('sends token, path, query and body, and gives back the reply', async (t) => {
  const { client, requests, bodies } = await serve(t, (_request, response) => json(response, 200, { name: 'shop' }))
  assert.equal(
    (await client.call(updateApp, { params: { id: 'shop' }, body: { branch: 'trunk' }, ifMatch: '"abc"' })).name,
    'shop',
  )
  assert.equal(requests[0]?.method, 'PATCH')
  assert.equal(requests[0]?.url, '/v1/apps/shop')
  assert.equal(requests[0]?.headers.authorization, 'Bearer gantry_secret')
  assert.equal(requests[0]?.headers['content-type'], 'application/merge-patch+json')
  assert.equal(requests[0]?.headers['if-match'], '"abc"')
  assert.deepEqual(bodies, ['{"branch":"trunk"}'])
  await client.call(listApps, { query: { limit: 7, name: undefined } })
  assert.equal(requests[1]?.url, '/v1/apps?limit=7')
})

test('a parameter cannot change the path', async (t) => {
  const { client, requests } = await serve(t, (_request, response) => json(response, 200, {}))
  await client.call(getApp, { params: { id: '../tokens?x#y' } })
  assert.equal(requests[0]?.url, '/v1/apps/..%2Ftokens%3Fx%23y')
  for (const id of ['', '.', '..']) await assert.rejects(client.call(getApp, { params: { id } }), TypeError)
  assert.equal(requests.length, 1)
})

test('a refusal is an ApiError with all that the server said', async (t) => {
  const { client } = await serve(t, (_request, response) => refuse(response, 'not_found'))
  const error = await client.call(getApp, { params: { id: 'shop' } }).catch((thrown: unknown) => thrown)
  assert.ok(error instanceof ApiError)
  assert.equal(error.status, 404)
  assert.equal(error.code, 'not_found')
  assert.equal(error.message, 'It is not_found.')
  assert.equal(error.requestId, '0123456789')
  assert.equal(error.errors[0]?.more_info, 'http://localhost/docs/errors/not_found')
})

test("an answer that is not Gantry's is an ApiError too", async (t) => {
  const { client } = await serve(t, (_request, response) => response.writeHead(502).end('<h1>Bad gateway</h1>'))
  await assert.rejects(client.call(deleteApp, { params: { id: 'shop' } }), (error: unknown) => {
    return error instanceof ApiError && error.code === 'unexpected_reply' && error.status === 502
  })
})

test('nobody there is an UnreachableError that says where and why', async (t) => {
  const { client } = await serve(t, () => undefined)
  const nobody = createClient({ baseUrl: 'http://127.0.0.1:9', retries: 1, retryDelayMs: 1 })
  await assert.rejects(nobody.call(listApps), (error: unknown) => {
    return error instanceof UnreachableError && error.url === 'http://127.0.0.1:9' && error.message.length > 30
  })
  const silent = createClient({ baseUrl: client.baseUrl, timeoutMs: 20, retries: 0 })
  await assert.rejects(silent.call(listApps), UnreachableError)
})

test('a safe call and one with a key are tried again with the same key, others are not', async (t) => {
  let away = 2
  const answer = (_request: IncomingMessage, response: ServerResponse) => {
    if (away-- > 0) refuse(response, 'service_unavailable')
    else json(response, 200, { id: 'app-1' })
  }
  const { client, requests } = await serve(t, answer)
  await client.call(getApp, { params: { id: 'shop' } })
  assert.equal(requests.length, 3)
  away = 2
  await client.call(createApp, { body: { name: 'shop' } })
  const keys = requests.slice(3).map((request) => request.headers['idempotency-key'])
  assert.equal(keys.length, 3)
  assert.match(String(keys[0]), /^"[0-9a-f]{32}"$/)
  assert.equal(new Set(keys).size, 1)
  away = 1
  await assert.rejects(client.call(createToken, { body: { name: 'ci' } }), ApiError)
  assert.equal(requests.length, 7)
  away = 0
  await client.call(cancelDeploy, { params: { id: 'dep-1' }, idempotencyKey: 'my-own-key' })
  assert.equal(requests[7]?.headers['idempotency-key'], '"my-own-key"')
})

test('a connection that breaks in the middle is tried again', async (t) => {
  let broken = 1
  const { client, requests } = await serve(t, (request, response) => {
    if (broken-- > 0) request.socket.destroy()
    else json(response, 200, {})
  })
  await client.call(getApp, { params: { id: 'shop' } })
  assert.equal(requests.length, 2)
})

test('an upload streams its bytes', async (t) => {
  const { client, requests, bodies } = await serve(t, (_request, response) => json(response, 201, { id: 'src-1' }))
  const content = new ReadableStream({
    start(controller) {
      for (const part of ['one ', 'two']) controller.enqueue(new TextEncoder().encode(part))
      controller.close()
    },
  })
  await client.call(createSource, { query: { app_id: 'shop' }, upload: { content, encoding: 'gzip' } })
  assert.equal(requests[0]?.url, '/v1/sources?app_id=shop')
  assert.equal(requests[0]?.headers['content-type'], 'application/x-tar')
  assert.equal(requests[0]?.headers['content-encoding'], 'gzip')
  assert.deepEqual(bodies, ['one two'])
})

test('pages and items go through the whole list', async (t) => {
  const { client, requests } = await serve(t, (request, response) => {
    const start = new URL(request.url ?? '', 'http://x').searchParams.get('start')
    const page = start
      ? { apps: [{ name: 'c' }] }
      : { apps: [{ name: 'a' }, { name: 'b' }], next: { href: 'x', start: 'two' } }
    json(response, 200, { limit: 2, first: { href: 'x' }, ...page })
  })
  const names: string[] = []
  for await (const app of client.items(listApps, { query: { limit: 2 } })) names.push(app.name)
  assert.deepEqual(names, ['a', 'b', 'c'])
  assert.deepEqual(
    requests.map((request) => request.url),
    ['/v1/apps?limit=2', '/v1/apps?limit=2&start=two'],
  )
  const sizes: number[] = []
  for await (const page of client.pages(listApps)) sizes.push(page.apps.length)
  assert.deepEqual(sizes, [2, 1])
})

const line = (n: number) => ({
  id: `00000001-${n}`,
  at: '2026-08-22T09:30:00.000Z',
  source: 'build',
  message: `line ${n}`,
})
const logEvent = (n: number) => `id: 00000001-${n}\nevent: log\ndata: ${JSON.stringify(line(n))}\n\n`

async function collect(events: AsyncIterable<LogEvent>): Promise<string[]> {
  const seen: string[] = []
  for await (const event of events)
    seen.push(event.event === 'log' ? event.data.message : `${event.event} ${event.data.status}`)
  return seen
}

test('a stream goes on after the last line when its connection breaks, and ends with `end`', async (t) => {
  const { client, requests } = await serve(t, (request, response) => {
    const last = request.headers['last-event-id']
    if (requests.length === 3) return request.socket.destroy()
    if (requests.length === 4) return refuse(response, 'service_unavailable')
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    if (!last)
      response.write(`: hello\n\n${logEvent(1)}${logEvent(2)}id: 00000001-3\nevent: log\ndata: {"cut`, () =>
        response.destroy(),
      )
    else if (requests.length === 2) response.end(logEvent(3))
    else response.end('event: end\ndata: {"status":"live"}\n\n')
  })
  const seen = await collect(
    client.stream(streamDeployLog, { params: { id: 'dep-1' }, query: { tail: 10, source: 'build' } }),
  )
  assert.deepEqual(seen, ['line 1', 'line 2', 'line 3', 'end live'])
  assert.deepEqual(
    requests.map((request) => request.headers['last-event-id']),
    [undefined, '00000001-2', '00000001-3', '00000001-3', '00000001-3'],
  )
  assert.equal(requests[0]?.url, '/v1/deploys/dep-1/log_stream?tail=10&source=build')
  assert.equal(requests[1]?.url, '/v1/deploys/dep-1/log_stream?source=build')
  assert.match(requests[0]?.headers.accept ?? '', /^text\/event-stream/)
})

test('a stream that cannot begin throws, and so does one that stays away', async (t) => {
  const { client } = await serve(t, (_request, response) => refuse(response, 'not_found'))
  await assert.rejects(collect(client.stream(streamDeployLog, { params: { id: 'dep-1' } })), ApiError)
  const gone = await serve(
    t,
    (_request, response) => {
      if (gone.requests.length > 1) return refuse(response, 'service_unavailable')
      response.writeHead(200, { 'content-type': 'text/event-stream' }).end(logEvent(1))
    },
    { streamGiveUpMs: 20 },
  )
  await assert.rejects(collect(gone.client.stream(streamDeployLog, { params: { id: 'dep-1' } })), ApiError)
  assert.ok(gone.requests.length > 2)
})

test('a stream that falls silent is connected again', async (t) => {
  const { client, requests } = await serve(
    t,
    (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      if (requests.length === 1) response.write(logEvent(1))
      else response.end('event: end\ndata: {"status":"failed"}\n\n')
    },
    { streamIdleMs: 1000 },
  )
  assert.deepEqual(await collect(client.stream(streamDeployLog, { params: { id: 'dep-1' } })), ['line 1', 'end failed'])
})

test('a stream ends with the reason of its signal', async (t) => {
  const { client } = await serve(t, (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write(logEvent(1))
  })
  const stop = new AbortController()
  const follow = async () => {
    for await (const _event of client.stream(streamEnvironmentLog, { params: { id: 'shop' }, signal: stop.signal })) {
      stop.abort(new Error('enough'))
    }
  }
  await assert.rejects(follow(), /enough/)
})

test('leaving a stream closes its connection', async (t) => {
  let closed: () => void = () => undefined
  const whenClosed = new Promise<void>((resolve) => {
    closed = resolve
  })
  const { client } = await serve(t, (_request, response) => {
    response.on('close', closed)
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write(logEvent(1))
  })
  for await (const event of client.stream(streamEnvironmentLog, { params: { id: 'shop' } })) {
    assert.equal(event.event, 'log')
    break
  }
  await whenClosed
})
