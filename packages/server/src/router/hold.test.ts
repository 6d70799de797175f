import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
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

let routed: RouterUnderTest
let app: AppUnderTest
let received: string[]
beforeEach(async () => {
  routed = await startRouter()
  received = []
  app = await startApp(
    rawApp((head, socket) => {
      received.push(head)
      socket.write(reply('resumed'))
    }),
  )
})
afterEach(async () => {
  await routed.close()
  await app.close()
})

const open = () => routed.counted()?.openRequests

test('requests to a held route wait and are sent when it serves again', async () => {
  routed.route([], { mode: 'hold' })
  const waiting = [sendRaw(routed.port, get), sendRaw(routed.port, post), sendRaw(routed.port, get)]
  await eventually(() => open() === 3, 'three held requests')
  assert.equal(received.length, 0)
  routed.route([app.target])
  for (const response of await Promise.all(waiting)) assert.equal(bodyOf(response), 'resumed')
  assert.equal(received.length, 3)
})

test('a route that is held again keeps its requests', async () => {
  routed.route([], { mode: 'hold' })
  const waiting = sendRaw(routed.port, get)
  await eventually(() => open() === 1, 'a held request')
  routed.route([app.target], { mode: 'hold' })
  assert.equal(received.length, 0)
  routed.route([app.target])
  assert.equal(bodyOf(await waiting), 'resumed')
})

test('held requests are counted for the release that they reach', async () => {
  routed.route([], { mode: 'hold' })
  const waiting = sendRaw(routed.port, get)
  await eventually(() => open() === 1, 'a held request')
  routed.route([app.target], { releaseId: 'rel-2' })
  await waiting
  const second = routed.counted('rel-2')
  assert.equal(routed.counted('rel-1'), undefined)
  assert.deepEqual([second?.requests, second?.openRequests, second?.responses], [1, 0, { '2xx': 1 }])
})

test('one that waits too long gets 503', async () => {
  await routed.close()
  routed = await startRouter({ holdMs: 60 })
  routed.route([], { mode: 'hold' })
  const response = await sendRaw(routed.port, get)
  assert.equal(statusOf(response), 503)
  assert.match(response, /Retry-After: 1\r\n/)
})

test('no more wait than may', async () => {
  await routed.close()
  routed = await startRouter({ maxHeld: 2 })
  routed.route([], { mode: 'hold' })
  const waiting = [sendRaw(routed.port, get), sendRaw(routed.port, get)]
  await eventually(() => open() === 2, 'two held requests')
  assert.equal(statusOf(await sendRaw(routed.port, get)), 503)
  routed.route([app.target])
  for (const response of await Promise.all(waiting)) assert.equal(bodyOf(response), 'resumed')
})

test('a client that gives up is not sent on', async () => {
  routed.route([], { mode: 'hold' })
  const client = openRaw(routed.port)
  client.write('GET / HTTP/1.1\r\nHost: app.test\r\n\r\n')
  await eventually(() => open() === 1, 'a held request')
  client.socket.destroy()
  await eventually(() => open() === 0, 'no held request')
  routed.route([app.target])
  assert.equal(bodyOf(await sendRaw(routed.port, get)), 'resumed')
  assert.equal(received.length, 1)
})

test('a route that goes away while it is held gives 404', async () => {
  routed.route([], { mode: 'hold' })
  const waiting = sendRaw(routed.port, get)
  await eventually(() => open() === 1, 'a held request')
  routed.remove('env-1')
  assert.equal(statusOf(await waiting), 404)
})

test('a route without an instance gives 503 at once, as a page for a browser', async () => {
  routed.route([])
  const response = await sendRaw(
    routed.port,
    'GET / HTTP/1.1\r\nHost: app.test\r\nAccept: text/html\r\nConnection: close\r\n\r\n',
  )
  assert.equal(statusOf(response), 503)
  assert.match(response, /Retry-After: 1\r\n/)
  assert.match(response, /^<!doctype html>/m)
  assert.match(response, /Request ID: 0000000000000000-/)
})

test('an instance that left the table gets no new request, and is drained when its last one ends', async () => {
  const heads: string[] = []
  let answer: () => void = () => assert.fail('no request has come')
  const old = await startApp(
    rawApp((head, socket) => {
      heads.push(head)
      answer = () => void socket.write(reply('old'))
    }),
    'ins-old',
  )
  routed.route([old.target])
  const last = sendRaw(routed.port, get)
  await eventually(() => heads.length === 1, 'a request at the old instance')
  routed.route([app.target], { releaseId: 'rel-2' })
  for (let i = 0; i < 5; i++) assert.equal(bodyOf(await sendRaw(routed.port, get)), 'resumed')
  assert.deepEqual(routed.drained, [])
  assert.deepEqual(routed.counted()?.openByInstance, { 'ins-old': 1 })
  answer()
  assert.equal(bodyOf(await last), 'old')
  assert.equal(heads.length, 1)
  await eventually(() => routed.drained.includes('ins-old'), 'the drained instance')
  await old.close()
})
