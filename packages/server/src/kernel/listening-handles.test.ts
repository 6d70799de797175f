import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { createConnection, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { BindFailed, bindSocket, borrowSockets } from './listening-handles.ts'
import { spawnArgv } from './spawn-argv.ts'

const fixture = fileURLToPath(new URL('./listening-handles.fixture.ts', import.meta.url))

function answer(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    createConnection(port, '127.0.0.1')
      .on('data', (chunk) => {
        text += chunk
      })
      .on('end', () => resolve(text))
      .on('error', reject)
  })
}

function started(folder: string, fd: number) {
  const child = spawnArgv(process.execPath, [...process.execArgv, fixture, join(folder, 'lend.sock')], {
    env: {},
    stdio: ['ignore', 'pipe', 'inherit', fd],
  })
  return new Promise<typeof child>((resolve, reject) => {
    child.stdout?.once('data', () => resolve(child))
    child.once('exit', (code) => reject(new Error(`the fixture ended with ${code}`)))
  })
}

test('a port in use is refused although libuv keeps the error back', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as { port: number }
  assert.throws(
    () => bindSocket({ host: '127.0.0.1', port }),
    (error: BindFailed) => error instanceof BindFailed && error.code === 'EADDRINUSE' && error.address.port === port,
  )
  server.close()
})

test('port 0 takes a free port, on both families', () => {
  const first = bindSocket({ host: '127.0.0.1', port: 0 })
  assert.ok(first.address.port > 0)
  first.close()
})

test('connections queue while nobody lives, and sockets pass to a process that did not inherit them', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'gantry-test-'))
  try {
    const socket = bindSocket({ host: '127.0.0.1', port: 0 })
    const { port } = socket.address
    const first = await started(folder, socket.fd)
    assert.equal(await answer(port), String(first.pid))
    const lent = join(folder, 'lend.sock')
    assert.equal(statSync(lent).mode & 0o777, 0o600)
    socket.close()
    const borrowed = await borrowSockets(lent, 5000)
    assert.deepEqual(
      borrowed.map((it) => it.address),
      [{ host: '127.0.0.1', port }],
    )
    const again = await borrowSockets(lent, 5000)
    assert.equal(again.length, 1)
    again[0]?.close()
    first.kill('SIGKILL')
    await new Promise((resolve) => first.once('exit', resolve))
    const queued = answer(port)
    const [mine] = borrowed
    assert.ok(mine)
    rmSync(lent)
    const second = await started(folder, mine.fd)
    assert.equal(await queued, String(second.pid))
    second.kill('SIGKILL')
    mine.close()
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('asking where nobody lends is an error', async () => {
  await assert.rejects(borrowSockets('/nonexistent/lend.sock', 1000), /ENOENT/)
})
