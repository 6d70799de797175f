import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { ask } from './support/http.ts'
import { startLoad } from './support/load.ts'
import { type Platform, startPlatform } from './support/platform.ts'
import { anApp, createProject, type Project } from './support/project.ts'

let platform: Platform
let project: Project
before(async () => {
  platform = await startPlatform()
  project = await createProject(platform, 'shop', anApp('one'))
  assert.equal((await project.push()).exitCode, 0)
  assert.equal((await platform.gantry(['config', 'set', 'COLOUR=red'], { cwd: project.folder })).exitCode, 0)
  assert.equal((await project.release(anApp('two'))).exitCode, 0)
  assert.equal((await platform.gantry(['config', 'set', 'COLOUR=blue'], { cwd: project.folder })).exitCode, 0)
})
after(() => platform.destroy())

async function state(): Promise<{ version: string; release: string; colour: string | undefined }> {
  const env = JSON.parse((await ask(platform.httpPort, 'shop.localhost', { path: '/env' })).body)
  const { body } = await ask(platform.httpPort, 'shop.localhost')
  return { version: body, release: env.GANTRY_RELEASE, colour: env.COLOUR }
}

test('a rollback takes back code and config as one, without a failed request', async () => {
  assert.deepEqual(await state(), { version: 'two', release: 'v4', colour: 'blue' })
  const load = startLoad({ port: platform.httpPort, host: 'shop.localhost' })
  const done = await platform.gantry(['rollback', 'v2'], { cwd: project.folder })
  assert.equal(done.exitCode, 0, done.output)
  assert.deepEqual(await state(), { version: 'one', release: 'v5', colour: 'red' })
  assert.deepEqual((await load.stop()).failures, [])
  const config = await platform.gantry(['config', 'get', 'COLOUR'], { cwd: project.folder })
  assert.equal(config.stdout.trim(), 'red')
})

test('with --keep-config the config stays', async () => {
  const done = await platform.gantry(['rollback', 'v4', '--keep-config'], { cwd: project.folder })
  assert.equal(done.exitCode, 0, done.output)
  assert.deepEqual(await state(), { version: 'two', release: 'v6', colour: 'red' })
})

test('without a version it goes to the release before the one whose code runs', async () => {
  const done = await platform.gantry(['rollback'], { cwd: project.folder })
  assert.equal(done.exitCode, 0, done.output)
  assert.deepEqual(await state(), { version: 'two', release: 'v7', colour: 'red' })
})

test('a version that never was is refused', async () => {
  const refused = await platform.gantry(['rollback', 'v99'], { cwd: project.folder })
  assert.equal(refused.exitCode, 4, refused.output)
  assert.match(refused.output, /v99/)
})
