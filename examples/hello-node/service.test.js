import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { after, before, describe, it } from 'node:test'
import { createService } from './service.js'

describe('the service', () => {
  const server = createService({ app: 'hello', release: 'v3', commit: '0123456789abcdef' })
  let url
  before(async () => {
    server.listen(0)
    await once(server, 'listening')
    url = `http://localhost:${server.address().port}`
  })
  after(() => server.close())

  it('says which release answers', async () => {
    const response = await fetch(url)
    assert.equal(response.status, 200)
    assert.equal(await response.text(), 'Hello from hello, release v3, commit 0123456.\n')
  })

  it('knows nothing else', async () => {
    assert.equal((await fetch(`${url}/missing`)).status, 404)
    assert.equal((await fetch(url, { method: 'POST' })).status, 405)
  })
})

it('ends by itself after SIGTERM', async () => {
  const child = spawn(process.execPath, ['server.js'], {
    cwd: import.meta.dirname,
    env: { ...process.env, PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(child.stdout, 'data')
  child.kill('SIGTERM')
  const [code, signal] = await once(child, 'exit')
  assert.deepEqual([code, signal], [0, null])
})
