import assert from 'node:assert/strict'
import { connect, createServer } from 'node:net'
import { test } from 'node:test'
import fc from 'fast-check'
import { bodyOf, eventually, rawApp, reply, sendRaw, startApp, startRouter } from './router-under-test.fixture.ts'

/** Pieces of HTTP, right and wrong, in any order and cut anywhere: what comes must not break the router or stay open in it. */
const requestPiece = fc.oneof(
  fc.constantFrom(
    'GET / HTTP/1.1\r\n',
    'POST /a HTTP/1.1\r\n',
    'HEAD / HTTP/1.0\r\n',
    'OPTIONS * HTTP/1.1\r\n',
    'Host: app.test\r\n',
    'Host: app.test\r\n\r\n',
    'Connection: close\r\n',
    'Connection: Upgrade\r\nUpgrade: websocket\r\n',
    'Content-Length: 5\r\n',
    'Content-Length: 0\r\n\r\n',
    'Transfer-Encoding: chunked\r\n\r\n',
    'Expect: 100-continue\r\n',
    '5\r\nhello\r\n',
    '0\r\n\r\n',
    'hello',
    '\r\n',
    '\n',
    '\0',
  ),
  fc.string({ maxLength: 20 }),
)
const responsePiece = fc.oneof(
  fc.constantFrom(
    'HTTP/1.1 200 OK\r\n',
    'HTTP/1.0 404 Not Found\r\n',
    'HTTP/1.1 204 No Content\r\n\r\n',
    'HTTP/1.1 100 Continue\r\n\r\n',
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n',
    'Content-Length: 5\r\n\r\n',
    'Content-Length: 5\r\n\r\nhello',
    'Transfer-Encoding: chunked\r\n\r\n',
    '5\r\nhello\r\n',
    '0\r\n\r\n',
    'Connection: close\r\n',
    'Keep-Alive: timeout=5\r\n',
    '\r\n',
    'hello',
    'x',
  ),
  fc.string({ maxLength: 20 }),
)
const ends = fc.constantFrom('end', 'destroy', 'reset', 'stay')

function act(socket: ReturnType<typeof connect>, pieces: readonly string[], end: string): void {
  socket.on('error', () => undefined)
  const next = (i: number): void => {
    const piece = pieces[i]
    if (socket.destroyed) return
    if (piece !== undefined) {
      socket.write(piece, 'latin1')
      setImmediate(next, i + 1)
    } else if (end === 'end') socket.end()
    else if (end === 'destroy') socket.destroy()
    else if (end === 'reset') socket.resetAndDestroy()
  }
  next(0)
}

test('whatever client and app send, the router serves on and keeps nothing open', async () => {
  const routed = await startRouter({
    requestHeadMs: 100,
    responseHeadMs: 100,
    bodyIdleMs: 100,
    clientIdleMs: 100,
    lingerMs: 40,
  })
  const hostile = { pieces: [] as readonly string[], end: 'end' }
  const app = await startApp(
    createServer((socket) => {
      socket.on('error', () => undefined)
      socket.once('data', () => act(socket, hostile.pieces, hostile.end))
    }),
  )
  const good = await startApp(rawApp((_head, socket) => socket.write(reply('good'))))
  const sides = fc.record({
    request: fc.array(requestPiece, { maxLength: 12 }),
    requestEnd: ends,
    response: fc.array(responsePiece, { maxLength: 8 }),
    responseEnd: ends,
  })
  try {
    await fc.assert(
      fc.asyncProperty(sides, async ({ request, requestEnd, response, responseEnd }) => {
        routed.route([app.target])
        hostile.pieces = response
        hostile.end = responseEnd
        const well = connect(routed.port, '127.0.0.1')
        act(well, ['POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 5\r\n\r\nhello'], 'stay')
        const ill = connect(routed.port, '127.0.0.1')
        act(ill, request, requestEnd)
        for (const socket of [well, ill]) socket.resume()
        await new Promise((resolve) => setTimeout(resolve, 3))
        for (const socket of [well, ill]) socket.destroy()
        routed.route([good.target])
        assert.equal(
          bodyOf(await sendRaw(routed.port, 'GET / HTTP/1.1\r\nHost: app.test\r\nConnection: close\r\n\r\n')),
          'good',
        )
      }),
      { numRuns: 300 },
    )
    const open = () => {
      const counted = routed.counted()
      return (counted?.openRequests ?? 0) + (counted?.openUpgrades ?? 0)
    }
    await eventually(() => open() === 0, 'no open request')
    assert.deepEqual(routed.counted()?.openByInstance, { [good.target.instanceId]: 0 })
  } finally {
    await routed.close()
    await app.close()
    await good.close()
  }
})
