import assert from 'node:assert/strict'
import { createServer, type Socket } from 'node:net'
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

const get = 'GET / HTTP/1.1\r\nHost: app.test\r\nConnection: close\r\n\r\n'
const post = 'POST / HTTP/1.1\r\nHost: app.test\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello'
const getAgain = 'GET / HTTP/1.1\r\nHost: app.test\r\n\r\n'
const postAgain = 'POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 5\r\n\r\nhello'

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

async function app(server: ReturnType<typeof createServer>): Promise<AppUnderTest> {
  const made = await startApp(server)
  apps.push(made)
  return made
}

/** Answers each request with its name and counts them. */
async function answering(name: string): Promise<{ app: AppUnderTest; heads: string[] }> {
  const heads: string[] = []
  const made = await app(
    rawApp((head, socket) => {
      heads.push(head)
      socket.write(reply(name))
    }),
  )
  return { app: made, heads }
}

/** Does something to the socket when a request has come, and counts them. */
async function breaking(act: (socket: Socket) => void): Promise<{ app: AppUnderTest; heads: string[] }> {
  const heads: string[] = []
  const made = await app(
    rawApp((head, socket) => {
      heads.push(head)
      act(socket)
    }),
  )
  return { app: made, heads }
}

/** An address where nobody listens any more. */
async function nobody(): Promise<AppUnderTest> {
  const made = await startApp(createServer())
  await made.close()
  return made
}

describe('a request that could not be sent', () => {
  for (const [method, bytes] of Object.entries({ get, post })) {
    test(`goes to another instance: ${method}`, async () => {
      const good = await answering('good')
      routed.route([(await nobody()).target, (await nobody()).target, good.app.target])
      for (let i = 0; i < 6; i++) assert.equal(bodyOf(await sendRaw(routed.port, bytes)), 'good')
      assert.equal(good.heads.length, 6)
    })

    test(`gets 502 when no instance can be reached: ${method}`, async () => {
      routed.route([(await nobody()).target, (await nobody()).target])
      assert.equal(statusOf(await sendRaw(routed.port, bytes)), 502)
    })
  }

  test('goes to another instance when connecting takes too long', async () => {
    await routed.close()
    routed = await startRouter({ connectMs: 60 })
    const good = await answering('good')
    // 192.0.2.0/24 is nobody's (RFC 5737)
    const lost = {
      ...good.app.target,
      instanceId: 'lost',
      address: { kind: 'tcp', host: '192.0.2.1', port: 9 },
    } as const
    routed.route([lost, good.app.target])
    for (let i = 0; i < 3; i++) assert.equal(bodyOf(await sendRaw(routed.port, get)), 'good')
  })
})

describe('a request that may have arrived', () => {
  test('is sent once more elsewhere when it is a GET and no byte came back', async () => {
    const good = await answering('good')
    const bad = await breaking((socket) => socket.destroy())
    routed.route([bad.app.target, good.app.target])
    for (let i = 0; i < 4; i++) assert.equal(bodyOf(await sendRaw(routed.port, get)), 'good')
    assert.ok(bad.heads.length > 0)
    assert.equal(good.heads.length, 4)
  })

  test('is sent twice at most', async () => {
    const bad = await breaking((socket) => socket.resetAndDestroy())
    routed.route([bad.app.target])
    assert.equal(statusOf(await sendRaw(routed.port, get)), 502)
    assert.equal(bad.heads.length, 2)
  })

  test('is never sent twice when it is a POST', async () => {
    const good = await answering('good')
    const bad = await breaking((socket) => socket.destroy())
    routed.route([bad.app.target, good.app.target])
    const statuses: number[] = []
    for (let i = 0; i < 4; i++) statuses.push(statusOf(await sendRaw(routed.port, post)))
    assert.equal(statuses.filter((status) => status === 502).length, bad.heads.length)
    assert.equal(bad.heads.length + good.heads.length, 4)
    assert.ok(bad.heads.length > 0)
  })

  test('is never sent twice when it is a GET with a body', async () => {
    const bad = await breaking((socket) => socket.destroy())
    routed.route([bad.app.target])
    const bytes = 'GET / HTTP/1.1\r\nHost: app.test\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello'
    assert.equal(statusOf(await sendRaw(routed.port, bytes)), 502)
    assert.equal(bad.heads.length, 1)
  })

  test('is not repeated when a part of the head had come', async () => {
    const bad = await breaking((socket) => socket.end('HTTP/1.1 200 OK\r\nConte'))
    routed.route([bad.app.target])
    assert.equal(statusOf(await sendRaw(routed.port, get)), 502)
    assert.equal(bad.heads.length, 1)
  })

  test('ends in a cut connection when the body is cut', async () => {
    const bad = await breaking((socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf'))
    routed.route([bad.app.target])
    const client = openRaw(routed.port)
    client.write(getAgain)
    await eventually(() => client.socket.destroyed, 'the cut')
    assert.match(client.received(), /half$/)
    assert.equal(bad.heads.length, 1)
  })
})

describe('a connection that is kept', () => {
  test('and was reset by the app meanwhile costs a GET nothing', async () => {
    const heads: string[] = []
    const fickle = await app(
      rawApp((head, socket) => {
        heads.push(head)
        socket.write(reply('fickle'))
        if (heads.length > 1) return
        socket.removeAllListeners('data')
        socket.on('data', () => socket.resetAndDestroy()) // the next request on it
      }),
    )
    routed.route([fickle.target])
    const client = openRaw(routed.port)
    client.write(getAgain)
    await client.until((text) => text.endsWith('fickle'))
    client.write(getAgain)
    const both = await client.until((text) => text.split('fickle').length === 3)
    assert.equal(both.split('200 OK').length, 3)
    client.socket.destroy()
  })

  test('and was reset in the middle of a POST gives 502', async () => {
    let requests = 0
    const fickle = await app(
      rawApp((_head, socket) => {
        requests++
        if (requests === 1) socket.write(reply('fickle'))
        else socket.resetAndDestroy()
      }),
    )
    routed.route([fickle.target])
    assert.equal(statusOf(await sendRaw(routed.port, get)), 200)
    assert.equal(statusOf(await sendRaw(routed.port, post)), 502)
    assert.equal(requests, 2)
  })

  test('and was closed by the app is not used for a POST', async () => {
    const heads: string[] = []
    const closing = await app(
      rawApp((head, socket) => {
        heads.push(head)
        socket.end(reply('closing')) // without saying so
      }),
    )
    routed.route([closing.target])
    const client = openRaw(routed.port)
    for (let i = 1; i <= 20; i++) {
      client.write(postAgain)
      await client.until((text) => text.split('closing').length === i + 1)
    }
    assert.equal(heads.length, 20)
    client.socket.destroy()
  })

  test('is used again', async () => {
    let connections = 0
    const good = await answering('good')
    const server = rawApp((_head, socket) => socket.write(reply('good'))).on('connection', () => connections++)
    routed.route([(await app(server)).target])
    assert.equal(good.heads.length, 0)
    for (let i = 0; i < 5; i++) await sendRaw(routed.port, i % 2 ? get : post)
    assert.equal(connections, 1)
  })
})

describe('an answer that is not HTTP', () => {
  const answers = {
    'no HTTP at all': 'hello\r\n\r\n',
    'two Content-Lengths': 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab',
    'Content-Length and chunks': 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'a folded header': 'HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 0\r\n\r\n',
    'bare LFs': 'HTTP/1.1 200 OK\nContent-Length: 0\n\r\n\r\n',
    'a head without end': `HTTP/1.1 200 OK\r\nA: ${'b'.repeat(80 * 1024)}`,
    'an upgrade that nobody asked for': 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n',
  }
  for (const [name, bytes] of Object.entries(answers)) {
    test(`is a 502: ${name}`, async () => {
      const bad = await breaking((socket) => socket.write(bytes, 'latin1'))
      routed.route([bad.app.target])
      assert.equal(statusOf(await sendRaw(routed.port, get)), 502)
      assert.equal(bad.heads.length, 1)
    })
  }

  test('does not reach the next request: bytes after a response end the connection', async () => {
    const bad = await breaking((socket) => socket.write(`${reply('one')}${reply('forged')}`))
    routed.route([bad.app.target])
    for (let i = 0; i < 3; i++) assert.equal(bodyOf(await sendRaw(routed.port, get)), 'one')
  })
})

test('an app that never answers gets 504 after the limit', async () => {
  await routed.close()
  routed = await startRouter({ responseHeadMs: 50 })
  const mute = await breaking(() => undefined)
  routed.route([mute.app.target])
  assert.equal(statusOf(await sendRaw(routed.port, get)), 504)
})

test('requests go to the instance with the fewest open ones', async () => {
  const busy = await breaking(() => undefined)
  const idle = await answering('idle')
  routed.route([busy.app.target, idle.app.target])
  const stuck = openRaw(routed.port)
  stuck.write(getAgain)
  const other = openRaw(routed.port)
  other.write(getAgain)
  await eventually(() => busy.heads.length === 1, 'a request that stays open')
  for (let i = 0; i < 5; i++) assert.equal(bodyOf(await sendRaw(routed.port, get)), 'idle')
  stuck.socket.destroy()
  other.socket.destroy()
})

test('a client that goes away takes its request with it, and every count goes back to nothing', async () => {
  let closed = 0
  const mute = await breaking((socket) => void socket.once('close', () => closed++))
  routed.route([mute.app.target])
  const client = openRaw(routed.port)
  client.write(getAgain)
  await eventually(() => mute.heads.length === 1, 'the request')
  assert.deepEqual(routed.counted()?.openByInstance, { [mute.app.target.instanceId]: 1 })
  client.socket.destroy()
  await eventually(() => closed === 1, 'the end of the connection to the app')
  const release = routed.counted()
  assert.equal(release?.openRequests, 0)
  assert.deepEqual(release?.openByInstance, { [mute.app.target.instanceId]: 0 })
})
