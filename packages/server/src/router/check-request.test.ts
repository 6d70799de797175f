import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { checkRequest, type RequestHead } from './check-request.ts'
import { Refusal } from './refusal.ts'
import {
  type AppUnderTest,
  openRaw,
  type RouterUnderTest,
  rawApp,
  reply,
  sendRaw,
  startApp,
  startRouter,
  statusOf,
} from './router-under-test.fixture.ts'

const host = 'Host: app.test\r\n'
const chunk = '5\r\nhello\r\n0\r\n\r\n'

/** What a client sends, and the status it gets: 200 is the app's. Every refusal closes the connection. */
const rawRequests: Readonly<Record<string, readonly [number, string]>> = {
  'a plain request': [200, `GET / HTTP/1.1\r\n${host}Connection: close\r\n\r\n`],
  'HTTP/1.0': [200, `GET / HTTP/1.0\r\n${host}\r\n`],
  'an absolute URI that agrees': [200, `GET http://APP.test:80/x HTTP/1.1\r\n${host}Connection: close\r\n\r\n`],
  'a GET with a body': [200, `GET / HTTP/1.1\r\n${host}Connection: close\r\nContent-Length: 5\r\n\r\nhello`],
  'a chunked body': [200, `POST / HTTP/1.1\r\n${host}Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n${chunk}`],
  'a host with a final dot and a port': [200, 'GET / HTTP/1.1\r\nHost: App.Test.:8080\r\nConnection: close\r\n\r\n'],
  'Content-Length and Transfer-Encoding': [
    400,
    `POST / HTTP/1.1\r\n${host}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n${chunk}`,
  ],
  'two Content-Lengths': [400, `POST / HTTP/1.1\r\n${host}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello`],
  'two equal Content-Lengths': [400, `POST / HTTP/1.1\r\n${host}Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello`],
  'a Content-Length with a sign': [400, `POST / HTTP/1.1\r\n${host}Content-Length: +5\r\n\r\nhello`],
  'a Content-Length that no number holds': [
    400,
    `POST / HTTP/1.1\r\n${host}Content-Length: 99999999999999999999\r\n\r\n`,
  ],
  'a space before the colon': [400, `GET / HTTP/1.1\r\n${host}X-A : b\r\n\r\n`],
  'a folded header': [400, `GET / HTTP/1.1\r\n${host}X-A: b\r\n c\r\n\r\n`],
  'Transfer-Encoding: xchunked': [400, `POST / HTTP/1.1\r\n${host}Transfer-Encoding: xchunked\r\n\r\n${chunk}`],
  'Transfer-Encoding: chunked, identity': [
    400,
    `POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked, identity\r\n\r\n${chunk}`,
  ],
  'Transfer-Encoding twice': [
    400,
    `POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n${chunk}`,
  ],
  'a LF in a chunk extension': [
    400,
    `POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n5;a\nb\r\nhello\r\n0\r\n\r\n`,
  ],
  'a chunk that is longer than it says': [
    400,
    `POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n4\r\nhello\r\n0\r\n\r\n`,
  ],
  'bare LFs': [400, 'GET / HTTP/1.1\nHost: app.test\n\n'],
  'a bare CR in a header': [400, `GET / HTTP/1.1\r\n${host}X-A: b\rX-B: c\r\n\r\n`],
  'a NUL in a header': [400, `GET / HTTP/1.1\r\n${host}X-A: b\0c\r\n\r\n`],
  'no Host': [400, 'GET / HTTP/1.1\r\n\r\n'],
  'two Hosts': [400, `GET / HTTP/1.1\r\n${host}Host: other.test\r\n\r\n`],
  'two equal Hosts': [400, `GET / HTTP/1.1\r\n${host}${host}\r\n`],
  'a list of hosts': [400, 'GET / HTTP/1.1\r\nHost: app.test, other.test\r\n\r\n'],
  'a Host with user and path': [400, 'GET / HTTP/1.1\r\nHost: user@app.test/c?d\r\n\r\n'],
  'an empty Host': [400, 'GET / HTTP/1.1\r\nHost:\r\n\r\n'],
  'an absolute URI that disagrees': [400, `GET http://other.test/ HTTP/1.1\r\n${host}\r\n`],
  'an absolute URI with a user': [400, `GET http://user@app.test/ HTTP/1.1\r\n${host}\r\n`],
  'HTTP/1.0 with Transfer-Encoding': [400, `POST / HTTP/1.0\r\n${host}Transfer-Encoding: chunked\r\n\r\n${chunk}`],
  'HTTP/2.0': [505, `GET / HTTP/2.0\r\n${host}\r\n`],
  'HTTP/1.2': [505, `GET / HTTP/1.2\r\n${host}\r\n`],
  'no version': [400, 'GET /\r\n\r\n'],
  'two spaces': [400, `GET  / HTTP/1.1\r\n${host}\r\n`],
  X_Forwarded_For: [400, `GET / HTTP/1.1\r\n${host}X_Forwarded_For: 1.2.3.4\r\n\r\n`],
  'X-Forwarded_Proto': [400, `GET / HTTP/1.1\r\n${host}X-Forwarded_Proto: https\r\n\r\n`],
  Transfer_Encoding: [400, `POST / HTTP/1.1\r\n${host}Transfer_Encoding: chunked\r\n\r\n`],
  '2001 headers': [431, `GET / HTTP/1.1\r\n${host}${'A:b\r\n'.repeat(2000)}\r\n`],
  'a header of 17 KB': [431, `GET / HTTP/1.1\r\n${host}X-A: ${'b'.repeat(17 * 1024)}\r\n\r\n`],
  'a head without end': [431, `GET / HTTP/1.1\r\n${host}X-A: ${'b'.repeat(40 * 1024)}`],
  'an expectation that nobody knows': [
    417,
    `POST / HTTP/1.1\r\n${host}Expect: a-miracle\r\nContent-Length: 5\r\n\r\nhello`,
  ],
  CONNECT: [405, `CONNECT app.test:443 HTTP/1.1\r\n${host}\r\n`],
  'a fragment in the target': [400, `GET /a#b HTTP/1.1\r\n${host}\r\n`],
  'a TLS hello': [400, '\x16\x03\x01\x02\x00\x01'],
}

describe('requests as raw bytes', () => {
  let routed: RouterUnderTest
  let app: AppUnderTest
  before(async () => {
    routed = await startRouter()
    app = await startApp(rawApp((_head, socket) => socket.write(reply('app'))))
    routed.route([app.target])
  })
  after(async () => {
    await routed.close()
    await app.close()
  })

  for (const [name, [status, bytes]] of Object.entries(rawRequests)) {
    test(`${name}: ${status}`, async () => {
      assert.equal(statusOf(await sendRaw(routed.port, bytes)), status)
    })
  }

  test('a name that nobody claims gets 404 with the request id, and the connection goes on', async () => {
    const client = openRaw(routed.port)
    client.write('GET / HTTP/1.1\r\nHost: nobody.test\r\nX-Request-ID: my-own-id-1\r\n\r\n')
    const page = await client.until((text) => text.includes('Request ID'))
    assert.equal(statusOf(page), 404)
    assert.match(page, /X-Request-ID: my-own-id-1\r\n/)
    client.write(`GET / HTTP/1.1\r\n${host}\r\n`)
    await client.until((text) => text.endsWith('app'))
    client.socket.destroy()
  })

  test('requests that are sent without waiting are answered in their order', async () => {
    const many = `GET / HTTP/1.1\r\n${host}\r\n`.repeat(50)
    const text = await sendRaw(routed.port, `${many}GET / HTTP/1.1\r\nHost: nobody.test\r\nConnection: close\r\n\r\n`)
    assert.equal(text.split('HTTP/1.1 200').length - 1, 50)
    assert.ok(text.lastIndexOf('404') > text.lastIndexOf('200 OK'))
  })

  test('a head that comes byte by byte is read like any other', async () => {
    const client = openRaw(routed.port)
    for (const byte of `\r\nGET / HTTP/1.1\r\n${host}Connection: close\r\n\r\n`) {
      client.write(byte)
      await new Promise((resolve) => setImmediate(resolve))
    }
    assert.equal(statusOf(await client.until((text) => text.endsWith('app'))), 200)
  })
})

function accepted(head: string): RequestHead {
  const request = checkRequest(head, { maxFields: 100 })
  assert.ok(!(request instanceof Refusal), JSON.stringify(request))
  return request
}

test('fields of the hop, those that Connection names and forged forwarding do not travel on', () => {
  const head = `GET / HTTP/1.1\r\n${host}Accept: */*\r\nConnection: keep-alive, X-Private\r\nX-Private: 1\r\nKeep-Alive: 5\r\nTE: trailers\r\nForwarded: for=1\r\nX-Forwarded-For: 1\r\nx-forwarded-anything: 1\r\nX-Real-IP: 1\r\nX-Request-Start: 1\r\nProxy-Connection: a\r\nCookie: a=b\r\n`
  assert.equal(accepted(head).kept, 'Accept: */*\r\nCookie: a=b\r\n')
})

test('a target begins with one slash', () => {
  assert.equal(accepted(`GET //evil/%2e%2e/ HTTP/1.1\r\n${host}`).target, '/evil/%2e%2e/')
  assert.equal(accepted(`GET http://app.test HTTP/1.1\r\n${host}`).target, '/')
  assert.equal(accepted(`GET http://app.test?q HTTP/1.1\r\n${host}`).target, '/?q')
  assert.equal(accepted(`OPTIONS * HTTP/1.1\r\n${host}`).target, '*')
})

test('HTTP/2 in the clear is not passed on as an upgrade, WebSocket is', () => {
  const upgrade = (protocol: string) =>
    accepted(`GET / HTTP/1.1\r\n${host}Connection: Upgrade\r\nUpgrade: ${protocol}\r\n`).upgrade
  assert.equal(upgrade('h2c'), undefined)
  assert.equal(upgrade('HTTP/2.0'), undefined)
  assert.equal(upgrade('websocket'), 'websocket')
})

test('a request id of the wrong form is replaced', () => {
  assert.equal(accepted(`GET / HTTP/1.1\r\n${host}X-Request-ID: <script>\r\n`).requestId, undefined)
  assert.equal(accepted(`GET / HTTP/1.1\r\n${host}X-Request-ID: 0d1b-77aa\r\n`).requestId, '0d1b-77aa')
})
