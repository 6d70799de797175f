import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { createServer as createHttpServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { afterEach, beforeEach, describe, test } from 'node:test'
import {
  type AppUnderTest,
  bodyOf,
  openRaw,
  type RouterUnderTest,
  rawApp,
  reply,
  sendRaw,
  startApp,
  startRouter,
  statusOf,
} from './router-under-test.fixture.ts'

let routed: RouterUnderTest
let apps: AppUnderTest[]
beforeEach(async () => {
  routed = await startRouter()
  apps = []
})
afterEach(async () => {
  await routed.close()
  await Promise.all(apps.map((app) => app.close()))
})

async function httpApp(handler: (request: IncomingMessage, response: ServerResponse) => void): Promise<void> {
  await use(createHttpServer(handler))
}

async function use(server: Parameters<typeof startApp>[0]): Promise<void> {
  const app = await startApp(server)
  apps.push(app)
  routed.route([app.target])
}

const megabyte = Buffer.alloc(1024 * 1024, 'abcdefghijklmnopqrstuvwxyz')
const head = (line: string, more = '') => `${line} HTTP/1.1\r\nHost: app.test\r\nConnection: close\r\n${more}\r\n`

describe('bodies pass whole', () => {
  for (const framing of ['length', 'chunked'] as const) {
    test(`64 MiB up and down at once: ${framing}`, async () => {
      await httpApp((incoming, response) => void incoming.pipe(response))
      const sent = createHash('sha256')
      const received = createHash('sha256')
      let bytes = 0
      const headers = { host: 'app.test', ...(framing === 'length' ? { 'content-length': 64 * megabyte.length } : {}) }
      await new Promise<void>((resolve, reject) => {
        const call = request({ port: routed.port, host: '127.0.0.1', method: 'POST', headers }, (response) => {
          response.on('data', (data: Buffer) => {
            received.update(data)
            bytes += data.length
          })
          response.on('end', resolve)
          response.on('error', reject)
        })
        call.on('error', reject)
        const write = (left: number): void => {
          if (left === 0) return void call.end()
          sent.update(megabyte)
          call.write(megabyte, () => write(left - 1))
        }
        write(64)
      })
      assert.equal(bytes, 64 * megabyte.length)
      assert.equal(received.digest('hex'), sent.digest('hex'))
    })
  }

  test('chunks are framed anew, extensions and trailers end here', async () => {
    let got = ''
    await httpApp((incoming, response) => {
      incoming.on('data', (data) => {
        got += data
      })
      incoming.on('end', () => response.end(JSON.stringify({ got, trailers: incoming.rawTrailers })))
    })
    const body = '3;name=value\r\nabc\r\n00a\r\n0123456789\r\n0\r\nX-Trailer: 1\r\n\r\n'
    const response = await sendRaw(
      routed.port,
      head('POST /', 'Transfer-Encoding: chunked\r\nTrailer: X-Trailer\r\n') + body,
    )
    assert.match(response, /\{"got":"abc0123456789","trailers":\[\]\}/)
  })

  test('a response until the end of the connection is chunked for HTTP/1.1 and not for HTTP/1.0', async () => {
    await use(rawApp((_head, socket) => socket.end('HTTP/1.0 200 OK\r\n\r\nall of it')))
    const modern = await sendRaw(routed.port, head('GET /'))
    assert.match(modern, /Transfer-Encoding: chunked\r\n/)
    assert.equal(bodyOf(modern), '9\r\nall of it\r\n0\r\n\r\n')
    const old = await sendRaw(routed.port, 'GET / HTTP/1.0\r\nHost: app.test\r\nConnection: keep-alive\r\n\r\n')
    assert.doesNotMatch(old, /Transfer-Encoding/)
    assert.match(old, /Connection: close\r\n/)
    assert.equal(bodyOf(old), 'all of it')
  })

  test('HTTP/1.0 with keep-alive is kept when the length is known', async () => {
    await use(rawApp((_head, socket) => socket.write(reply('known'))))
    const client = openRaw(routed.port)
    const bytes = 'GET / HTTP/1.0\r\nHost: app.test\r\nConnection: keep-alive\r\n\r\n'
    client.write(bytes)
    await client.until((text) => text.endsWith('known'))
    client.write(bytes)
    const both = await client.until((text) => text.split('known').length === 3)
    assert.match(both, /Connection: keep-alive\r\n/)
    client.socket.destroy()
  })
})

test('HEAD, 204 and 304 have no body, and the connection goes on after them', async () => {
  await httpApp((incoming, response) => {
    if (incoming.url === '/204') response.writeHead(204).end()
    else if (incoming.url === '/304') response.writeHead(304, { etag: '"a"', 'content-length': '7' }).end()
    else response.writeHead(200, { 'content-length': '7' }).end('content')
  })
  const client = openRaw(routed.port)
  for (const line of ['HEAD /', 'GET /204', 'GET /304', 'HEAD /', 'GET /']) {
    client.write(`${line} HTTP/1.1\r\nHost: app.test\r\n\r\n`)
  }
  const text = await client.until((received) => received.endsWith('content'))
  assert.deepEqual(
    [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map((match) => match[1]),
    ['200', '204', '304', '200', '200'],
  )
  assert.equal(text.split('content').length - 1, 1)
  assert.equal(text.split('Content-Length: 7').length - 1, 4)
  client.socket.destroy()
})

describe('Expect: 100-continue', () => {
  const expecting = 'POST / HTTP/1.1\r\nHost: app.test\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n'

  test("the app's 100 reaches the client, and then the body the app", async () => {
    await httpApp((incoming, response) => void incoming.pipe(response))
    const client = openRaw(routed.port)
    client.write(expecting)
    assert.match(await client.until((text) => text.includes('\r\n\r\n')), /^HTTP\/1\.1 100 Continue\r\n\r\n$/)
    client.write('hello')
    assert.match(await client.until((text) => text.includes('hello')), /HTTP\/1\.1 200 OK/)
    client.socket.destroy()
  })

  test('an app that refuses is heard before the body', async () => {
    const server = createHttpServer()
    server.on('checkContinue', (_incoming, response) => void response.writeHead(413).end('too large'))
    await use(server)
    const client = openRaw(routed.port)
    client.write(expecting)
    const response = await client.until((text) => text.includes('too large'))
    assert.equal(statusOf(response), 413)
    assert.match(response, /Connection: close\r\n/)
  })
})

test('an app that answers before it has read the body is heard, and its connection is not used again', async () => {
  const connections = new Set<Socket>()
  await use(
    rawApp((_head, socket) => {
      connections.add(socket)
      socket.write('HTTP/1.1 413 Payload Too Large\r\nContent-Length: 2\r\n\r\nno')
    }),
  )
  for (let i = 0; i < 2; i++) {
    const client = openRaw(routed.port)
    client.write('POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 1000000\r\n\r\nsome')
    const response = await client.until((text) => text.endsWith('no'))
    assert.equal(statusOf(response), 413)
    assert.match(response, /Connection: close\r\n/)
    client.socket.destroy()
  }
  assert.equal(connections.size, 2)
})

test('an app that answers and closes before it has read a large body is heard, whatever the timing', async () => {
  for (const delayMs of [0, 1, 5]) {
    await httpApp((incoming, response) => {
      setTimeout(
        () =>
          response
            .writeHead(413, { connection: 'close', 'content-length': 2 })
            .end('no', () => incoming.socket.destroy()),
        delayMs,
      )
    })
    for (let i = 0; i < 20; i++) {
      const client = openRaw(routed.port)
      client.write('POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 100000000\r\n\r\n')
      const more = () => {
        while (!client.socket.destroyed && client.socket.write(megabyte));
      }
      client.socket.on('drain', more)
      more()
      assert.equal(statusOf(await client.until((text) => text.endsWith('no'))), 413)
      client.socket.destroy()
    }
  }
})

test('informational responses pass', async () => {
  await use(
    rawApp((_head, socket) => {
      socket.write('HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n')
      socket.write(reply('final'))
    }),
  )
  const response = await sendRaw(routed.port, head('GET /'))
  assert.match(response, /^HTTP\/1\.1 103 Early Hints\r\nLink: <\/a\.css>\r\n\r\nHTTP\/1\.1 200 OK/)
})

test('the app sees forwarded headers that are the router’s own', async () => {
  const heads: string[] = []
  await use(
    rawApp((received, socket) => {
      heads.push(received)
      socket.write(reply('ok'))
    }),
  )
  const forged =
    'X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Proto: https\r\nForwarded: for=6.6.6.6\r\nX-Request-ID: known-id-0001\r\n'
  await sendRaw(routed.port, `GET /path?q=1 HTTP/1.1\r\nHost: App.test:8080\r\nConnection: close\r\n${forged}\r\n`)
  const lines = (heads[0] ?? '').split('\r\n')
  assert.deepEqual(lines.slice(0, 2), ['GET /path?q=1 HTTP/1.1', 'Host: App.test:8080'])
  const values = new Map(lines.slice(1, -2).map((line) => line.split(': ') as [string, string]))
  assert.equal(values.get('X-Forwarded-For'), '127.0.0.1')
  assert.equal(values.get('X-Forwarded-Proto'), 'http')
  assert.equal(values.get('X-Forwarded-Host'), 'App.test:8080')
  assert.equal(values.get('X-Forwarded-Port'), String(routed.port))
  assert.equal(values.get('X-Request-ID'), 'known-id-0001')
  assert.ok(Math.abs(Number(values.get('X-Request-Start')) - Date.now()) < 60_000)
  assert.equal(values.size, 7)
})
