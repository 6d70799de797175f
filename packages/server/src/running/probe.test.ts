import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import { type AddressInfo, createServer as createTcpServer, type Socket, type Server as TcpServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import type { Address } from '../engines/engine.ts'
import { isPortFree } from './port-check.ts'
import { createProbe } from './probe.ts'

const servers: (Server | TcpServer)[] = []
const sockets = new Set<Socket>()
after(() => {
  for (const socket of sockets) socket.destroy()
  for (const server of servers) server.close()
})

const never = new AbortController().signal
const probe = createProbe(300)

async function listen(server: Server | TcpServer, host = '127.0.0.1', port = 0): Promise<Address & { kind: 'tcp' }> {
  servers.push(server)
  server.on('connection', (socket: Socket) => sockets.add(socket))
  server.listen(port, host)
  await once(server, 'listening')
  return { kind: 'tcp', host: '127.0.0.1', port: (server.address() as AddressInfo).port }
}

const serve = (answer: RequestListener, host?: string) => listen(createServer(answer), host)

describe('a health check', { timeout: 30_000 }, () => {
  test('passes with any answer below 500, asks for / by the host name, and follows no redirection', async () => {
    const asked: string[] = []
    for (const status of [200, 204, 301, 404, 499]) {
      const address = await serve((request, response) => {
        asked.push(`${request.method} ${request.url} ${request.headers.host}`)
        response.writeHead(status, { location: 'http://127.0.0.1:1/elsewhere' }).end()
      })
      assert.deepEqual(await probe(address, 'shop.localhost', never), { kind: 'healthy', reached: address })
    }
    assert.deepEqual(new Set(asked), new Set(['GET / shop.localhost']))
    assert.equal(asked.length, 5)
  })

  test('fails with 500 and above, and says which', async () => {
    const address = await serve((_request, response) => response.writeHead(503).end())
    assert.deepEqual(await probe(address, 'h', never), { kind: 'unhealthy', message: 'GET / answered 503' })
  })

  test('finds nothing where nothing listens', async () => {
    const server = createServer()
    const address = await listen(server)
    server.close()
    await once(server, 'close')
    assert.deepEqual(await probe(address, 'h', never), { kind: 'refused' })
    const path = join(tmpdir(), `gantry-test-nobody-${process.pid}.sock`)
    assert.deepEqual(await probe({ kind: 'unix', path }, 'h', never), { kind: 'refused' })
  })

  test('waits no longer than its limit for an answer', async () => {
    const address = await serve(() => undefined)
    assert.deepEqual(await probe(address, 'h', never), { kind: 'unhealthy', message: 'GET / was not answered in time' })
  })

  test('does not wait for the end of a body', async () => {
    const closed = Promise.withResolvers<void>()
    const address = await serve((_request, response) => {
      const timer = setInterval(() => response.write('x'.repeat(65_536)), 1)
      response.once('close', () => {
        clearInterval(timer)
        closed.resolve()
      })
    })
    assert.equal((await probe(address, 'h', never)).kind, 'healthy')
    await closed.promise
  })

  test('takes what is no HTTP, and a connection that is closed, for unhealthy', async () => {
    const garbage = await listen(createTcpServer((socket) => socket.end('SSH-2.0-OpenSSH\r\n')))
    assert.equal((await probe(garbage, 'h', never)).kind, 'unhealthy')
    const closing = await listen(createTcpServer((socket) => socket.destroy()))
    assert.equal((await probe(closing, 'h', never)).kind, 'unhealthy')
  })

  test('tries ::1 where 127.0.0.1 refuses, and says that it was there', async () => {
    const address = await serve((_request, response) => response.end(), '::1')
    assert.deepEqual(await probe(address, 'h', never), { kind: 'healthy', reached: { ...address, host: '::1' } })
  })

  test('rejects when it is aborted', async () => {
    const address = await serve(() => undefined)
    const abort = new AbortController()
    const asking = createProbe(60_000)(address, 'h', abort.signal)
    abort.abort(new Error('enough'))
    await assert.rejects(asking, /enough/)
  })
})

describe('whether a port is free', () => {
  for (const host of ['127.0.0.1', '::1', '0.0.0.0', '::']) {
    test(`it is not while somebody listens on ${host}`, async () => {
      const server = createTcpServer()
      const { port } = await listen(server, host)
      assert.equal(await isPortFree(port), false)
      server.close()
      await once(server, 'close')
      assert.equal(await isPortFree(port), true)
    })
  }
})
