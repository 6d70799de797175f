import assert from 'node:assert/strict'
import { createServer as createHttpServer, request } from 'node:http'
import { afterEach, beforeEach, test } from 'node:test'
import { WebSocket, WebSocketServer } from 'ws'
import {
  type AppUnderTest,
  eventually,
  openRaw,
  type RouterUnderTest,
  rawApp,
  reply,
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

async function use(server: Parameters<typeof startApp>[0], instanceId: string): Promise<AppUnderTest> {
  const app = await startApp(server, instanceId)
  apps.push(app)
  return app
}

/** Answers every message with its name in front, and pages with its name. */
async function talkingApp(name: string): Promise<AppUnderTest> {
  const http = createHttpServer((_incoming, response) => response.end(name))
  new WebSocketServer({ server: http }).on('connection', (socket) => {
    socket.on('message', (data) => socket.send(`${name}: ${data}`))
  })
  return await use(http, name)
}

function openSocket(): WebSocket {
  return new WebSocket(`ws://127.0.0.1:${routed.port}/`, { headers: { host: 'app.test' } })
}

async function ask(socket: WebSocket, text: string): Promise<string> {
  const answer = new Promise<string>((resolve) => socket.once('message', (data) => resolve(String(data))))
  socket.send(text)
  return await answer
}

const opened = (socket: WebSocket) =>
  new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))

test('a WebSocket stays on the old instance through a switch, and new ones go to the new', async () => {
  const old = await talkingApp('old')
  const next = await talkingApp('new')
  routed.route([old.target])
  const first = openSocket()
  await opened(first)
  assert.equal(await ask(first, 'hello'), 'old: hello')
  routed.route([next.target], { releaseId: 'rel-2' })
  assert.equal(await ask(first, 'still there?'), 'old: still there?')
  const second = openSocket()
  await opened(second)
  assert.equal(await ask(second, 'hello'), 'new: hello')
  const oldRelease = routed.counted()
  assert.deepEqual([oldRelease?.openUpgrades, oldRelease?.openRequests], [1, 0])
  assert.deepEqual(oldRelease?.openByInstance, { old: 1 })
  const closed = new Promise((resolve) => first.once('close', resolve))
  await old.close() // the control plane stops the instance when it has drained long enough
  await closed
  await eventually(() => routed.drained.includes('old'), 'the drained instance')
  assert.equal(routed.counted()?.openUpgrades, 0)
  second.close()
})

test('large messages pass in both directions', async () => {
  const app = await talkingApp('echo')
  routed.route([app.target])
  const socket = openSocket()
  await opened(socket)
  const text = 'x'.repeat(5_000_000)
  assert.equal((await ask(socket, text)).length, text.length + 'echo: '.length)
  socket.close()
  await eventually(() => routed.counted()?.openByInstance.echo === 0, 'the end of the upgrade')
})

test('an event stream goes on through a switch', async () => {
  const send: ((text: string) => void)[] = []
  const http = createHttpServer((_incoming, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
    send.push((text) => void response.write(`data: ${text}\n\n`))
  })
  const old = await use(http, 'old')
  const next = await talkingApp('new')
  routed.route([old.target])
  let events = ''
  const call = request({ port: routed.port, host: '127.0.0.1', headers: { host: 'app.test' } }, (response) => {
    response.on('data', (data) => {
      events += data
    })
    response.on('error', () => undefined)
  })
  call.on('error', () => undefined)
  call.end()
  await eventually(() => send.length === 1, 'the stream')
  send[0]?.('before')
  await eventually(() => events === 'data: before\n\n', 'an event before the switch')
  routed.route([next.target], { releaseId: 'rel-2' })
  send[0]?.('after')
  await eventually(() => events.endsWith('data: after\n\n'), 'an event after the switch')
  call.destroy()
  await eventually(() => routed.drained.includes('old'), 'the drained instance')
})

test('bytes around the switch of protocols are not lost', async () => {
  const app = await use(
    rawApp((_head, socket) => {
      socket.removeAllListeners('data')
      socket.on('data', (data) => socket.write(data))
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nfirst ')
    }),
    'echo',
  )
  routed.route([app.target])
  const client = openRaw(routed.port)
  client.write('GET / HTTP/1.1\r\nHost: app.test\r\nConnection: keep-alive, Upgrade\r\nUpgrade: echo\r\n\r\nearly')
  const text = await client.until((received) => received.endsWith('first early'))
  assert.match(text, /Connection: Upgrade\r\nUpgrade: echo\r\n\r\nfirst early$/)
  client.write(' late')
  await client.until((received) => received.endsWith('first early late'))
  client.socket.end()
  await eventually(() => client.socket.destroyed, 'the end of both')
})

test('an app that does not upgrade answers as ever, and the connection goes on', async () => {
  const app = await use(
    rawApp((_head, socket) => socket.write(reply('plain'))),
    'plain',
  )
  routed.route([app.target])
  const client = openRaw(routed.port)
  for (let i = 1; i <= 2; i++) {
    client.write('GET / HTTP/1.1\r\nHost: app.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
    const text = await client.until((received) => received.split('plain').length === i + 1)
    assert.equal(statusOf(text), 200)
  }
  client.socket.destroy()
})
