import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it } from 'node:test'
import { endpoints } from '@gantry/api'
import { createTestDatabase } from '../test/support/database.ts'
import { composePlatform } from './compose.ts'
import { readSettings } from './config/settings.ts'
import { readInstallation } from './installation.ts'
import { silentLogger } from './kernel/logger.ts'
import { newSecretToken } from './kernel/secret-token.ts'

it('is whole: every operation of the contract has its handler, and the platform starts without its neighbours', async (t) => {
  const database = await createTestDatabase()
  // a short path: a Unix socket's has at most 107 bytes
  const home = await mkdtemp(join(tmpdir(), 'gantry-test-'))
  const folders = ['keys', 'run', 'logs', 'repositories', 'state']
  for (const folder of folders) await mkdir(join(home, folder))
  const environment = { GANTRY_HOME: home, DATABASE_URL: database.url, PATH: process.env.PATH }
  const installation = await readInstallation()
  // from here on the process may be a user who cannot read the checkout
  const loaded = new Set(Object.keys(createRequire(import.meta.url).cache))
  const ownerToken = newSecretToken(randomBytes)
  const settings = readSettings(environment, false)
  const platform = await composePlatform({ settings, installation, ownerToken, logger: silentLogger, environment })
  t.after(async () => {
    await platform.stop()
    await installation.referenceScript.close()
    await database.close()
    await rm(home, { recursive: true })
  })
  const [port] = await platform.start([{ host: '127.0.0.1', port: 0 }])
  const headers = { authorization: `Bearer ${ownerToken}` }
  const unanswered: string[] = []
  for (const { method, path, operationId } of endpoints) {
    const url = `http://127.0.0.1:${port}${path.replace(/\{[a-z_]+\}/g, 'some-id')}`
    const { status } = await fetch(url, { method, headers })
    const errors = status === 404 || status === 405 ? await (await fetch(url, { method, headers })).text() : ''
    if (status === 405 || errors.includes('There is nothing at')) unanswered.push(operationId)
  }
  assert.deepEqual(unanswered, [])
  const shown = (await (await fetch(`http://127.0.0.1:${port}/v1/platform`, { headers })).json()) as { status: string }
  assert.equal(shown.status, 'degraded', 'without a supervisor and routers')
  for (const path of ['/docs/reference.js', '/v1/%ff', '/nothing'])
    await fetch(`http://127.0.0.1:${port}${path}`, { headers })
  const loadedLate = Object.keys(createRequire(import.meta.url).cache).filter((path) => !loaded.has(path))
  assert.deepEqual(loadedLate, [])
})

it('says that the database cannot be reached, and keeps its password to itself', async () => {
  const home = await mkdtemp(join(tmpdir(), 'gantry-test-'))
  const environment = { GANTRY_HOME: home, DATABASE_URL: `postgres://gantry:hunter2@/gantry?host=${home}` }
  const installation = await readInstallation()
  const settings = readSettings(environment, false)
  const options = { settings, installation, ownerToken: newSecretToken(randomBytes), logger: silentLogger, environment }
  await assert.rejects(
    composePlatform(options),
    (error: Error & { code: string }) => error.code === 'database_unavailable' && !error.message.includes('hunter2'),
  )
  await installation.referenceScript.close()
  await rm(home, { recursive: true })
})
