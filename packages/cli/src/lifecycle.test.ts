import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { askSupervisor } from './lifecycle.ts'

let home: string
let server: Server | undefined
beforeEach(async () => {
  home = join(await mkdtemp(join(tmpdir(), 'gantry-test-')), 'home')
  await mkdir(join(home, 'run'), { recursive: true })
})
afterEach(async () => {
  server?.close()
  server = undefined
  await rm(join(home, '..'), { recursive: true })
})

async function answering(onRequest: (socket: Socket, text: string) => void): Promise<void> {
  const cwd = process.cwd()
  server = createServer((socket) => socket.on('data', (text) => onRequest(socket, text.toString())))
  process.chdir(join(home, 'run')) // the path of the home may be longer than a socket's may be
  await new Promise<void>((resolve) => server?.listen('lifecycle.sock', resolve))
  process.chdir(cwd)
}

const reply = (value: object) => `${JSON.stringify({ id: 1, ...value })}\n`

test('a question is answered, in pieces too', async () => {
  await answering((socket, text) => {
    assert.deepEqual(JSON.parse(text), { id: 1, verb: 'status', args: {} })
    const answer = reply({ ok: { pid: 7 } })
    socket.write(answer.slice(0, 5))
    setImmediate(() => socket.write(answer.slice(5)))
  })
  assert.deepEqual(await askSupervisor(home, 'status'), { pid: 7 })
})

test('a refusal is an error in words', async () => {
  await answering((socket) => socket.write(reply({ error: { name: 'Stopping', message: 'it is about to end' } })))
  await assert.rejects(askSupervisor(home, 'restart'), { name: 'CommandError', message: 'it is about to end' })
})

test('`down` is done when the connection closes, not before', async () => {
  let hasEnded = false
  await answering((socket) => {
    socket.write(reply({ ok: null }))
    setTimeout(() => {
      hasEnded = true
      socket.end()
    }, 30)
  })
  assert.equal(await askSupervisor(home, 'down'), null)
  assert.ok(hasEnded)
})

test('nobody there is no error', async () => {
  assert.equal(await askSupervisor(home, 'status'), undefined)
  assert.equal(await askSupervisor(join(home, 'nowhere'), 'down'), undefined)
})

test('a supervisor that ends before it answers is one', async () => {
  await answering((socket) => socket.destroy())
  await assert.rejects(askSupervisor(home, 'status'), /ended before it answered/)
})

test('a home with a path longer than that of a socket may be', async () => {
  home = join(home, 'x'.repeat(100), 'y'.repeat(100))
  await mkdir(join(home, 'run'), { recursive: true })
  await answering((socket) => socket.write(reply({ ok: { pid: 8 } })))
  assert.deepEqual(await askSupervisor(home, 'status'), { pid: 8 })
  home = join(home, '../..')
})
