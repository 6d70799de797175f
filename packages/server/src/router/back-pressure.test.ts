import assert from 'node:assert/strict'
import { createServer as createHttpServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { connect, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, test } from 'node:test'
import {
  type AppUnderTest,
  bodyOf,
  eventually,
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

describe('back-pressure', () => {
  /** How much can be written to a stream whose other end does not read. */
  async function fill(socket: Socket): Promise<number> {
    let written = 0
    while (written < 256) {
      written++
      if (!socket.write(megabyte)) {
        const drained = await Promise.race([
          new Promise((resolve) => socket.once('drain', () => resolve(true))),
          new Promise((resolve) => setTimeout(() => resolve(false), 300)),
        ])
        if (!drained) return written
      }
    }
    return written
  }

  test('a client that does not read stops the app', async () => {
    let stopped: Promise<number> | undefined
    await use(
      rawApp((_head, socket) => {
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n')
        stopped = fill(socket)
      }),
    )
    const client = connect(routed.port, '127.0.0.1', () => client.write(head('GET /')))
    client.pause()
    await eventually(() => stopped !== undefined, 'the response')
    assert.ok(((await stopped) ?? 0) < 100, 'the app could write without end')
    client.destroy()
  })

  test('an app that does not read stops the client', async () => {
    await use(
      rawApp((_head, socket) => {
        socket.pause()
      }),
    )
    const client = connect(routed.port, '127.0.0.1')
    client.on('error', () => undefined)
    client.write(head('POST /', 'Content-Length: 1000000000\r\n'))
    assert.ok((await fill(client)) < 100, 'the client could write without end')
    client.destroy()
  })

  test('a slow reader gets everything in the end', async () => {
    await httpApp((_incoming, response) => {
      for (let i = 0; i < 8; i++) response.write(megabyte)
      response.end()
    })
    let bytes = 0
    await new Promise<void>((resolve, reject) => {
      request({ port: routed.port, host: '127.0.0.1', headers: { host: 'app.test' } }, (response) => {
        response.on('data', (data: Buffer) => {
          bytes += data.length
          response.pause()
          setImmediate(() => response.resume())
        })
        response.on('end', resolve)
      })
        .on('error', reject)
        .end()
    })
    assert.equal(bytes, 8 * megabyte.length)
  })
})

describe('time limits', () => {
  test('a head that does not come to its end gets 408', async () => {
    await routed.close()
    routed = await startRouter({ requestHeadMs: 60 })
    assert.equal(statusOf(await sendRaw(routed.port, 'GET / HTTP/1.1\r\nHost: app.')), 408)
  })

  test('a connection without a request is closed', async () => {
    await routed.close()
    routed = await startRouter({ requestHeadMs: 60 })
    const client = openRaw(routed.port)
    await eventually(() => client.socket.destroyed, 'the end of a silent connection')
    assert.equal(client.received(), '')
  })

  test('a body that stands still is cut, an event stream is not', async () => {
    await routed.close()
    routed = await startRouter({ bodyIdleMs: 100 })
    await use(
      rawApp((received, socket) => {
        const type = received.startsWith('GET /events') ? 'text/event-stream' : 'text/plain'
        socket.write(`HTTP/1.1 200 OK\r\nContent-Type: ${type}\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n`)
      }),
    )
    const events = openRaw(routed.port)
    events.write('GET /events HTTP/1.1\r\nHost: app.test\r\n\r\n')
    await events.until((text) => text.includes('one'))
    const still = openRaw(routed.port)
    still.write('GET / HTTP/1.1\r\nHost: app.test\r\n\r\n')
    await eventually(() => still.socket.destroyed, 'the cut')
    assert.equal(events.socket.destroyed, false)
    events.socket.destroy()
  })

  test('the router ends a connection so that a response on its way arrives', async () => {
    await use(rawApp((_head, socket) => socket.write(reply('x'.repeat(100_000)))))
    for (let i = 0; i < 20; i++) {
      const response = await sendRaw(routed.port, `${head('GET /')}bytes that nobody reads${'.'.repeat(100_000)}`)
      assert.equal(bodyOf(response).length, 100_000)
    }
  })
})
