import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { eventually } from './support/eventually.ts'
import { ask } from './support/http.ts'
import { startLoad } from './support/load.ts'
import { type Platform, startPlatform } from './support/platform.ts'
import { anApp, createProject, type Project } from './support/project.ts'

let platform: Platform
let project: Project
before(async () => {
  platform = await startPlatform()
  project = await createProject(platform, 'shop', anApp('one'))
})
after(() => platform.destroy())

const gantry = (...args: string[]) => platform.gantry(args, { cwd: project.folder })

test('config before the first build makes no release and is there at the first', async () => {
  const set = await gantry('config', 'set', 'EARLY=yes')
  assert.equal(set.exitCode, 0, set.output)
  assert.deepEqual(JSON.parse((await gantry('releases', '--json')).stdout).releases, [])
  assert.equal((await project.push()).exitCode, 0)
  const env = JSON.parse((await ask(platform.httpPort, 'shop.localhost', { path: '/env' })).body)
  assert.deepEqual([env.EARLY, env.GANTRY_RELEASE], ['yes', 'v1'])
})

test('config set makes a release without a build and without a failed request', async () => {
  const load = startLoad({ port: platform.httpPort, host: 'shop.localhost' })
  const set = await gantry('config', 'set', 'COLOUR=red', 'MOTTO=a b=c')
  assert.equal(set.exitCode, 0, set.output)
  const env = JSON.parse((await ask(platform.httpPort, 'shop.localhost', { path: '/env' })).body)
  assert.deepEqual([env.COLOUR, env.MOTTO, env.EARLY, env.GANTRY_RELEASE], ['red', 'a b=c', 'yes', 'v2'])
  assert.deepEqual((await load.stop()).failures, [])
  assert.equal(JSON.parse((await gantry('builds', 'list', '--json')).stdout).builds.length, 1)
  const unset = await gantry('config', 'unset', 'COLOUR')
  assert.equal(unset.exitCode, 0, unset.output)
  assert.doesNotMatch((await gantry('config', 'list')).stdout, /COLOUR/)
})

test('a build sees the build config and not the config', async () => {
  assert.equal((await gantry('config', 'set', '--build', 'FLAVOUR=vanilla')).exitCode, 0)
  const built = await project.release({
    'package.json': JSON.stringify({
      name: 'scenario',
      scripts: { start: 'node server.js', build: 'echo flavour=$FLAVOUR early=$EARLY.' },
    }),
  })
  assert.equal(built.exitCode, 0, built.output)
  assert.match(built.output, /flavour=vanilla early=\./)
})

test('names and values that cannot be are refused', async () => {
  for (const bad of ['1X=y', 'A-B=c', 'PORT=1', 'GANTRY_APP=x']) {
    const refused = await gantry('config', 'set', bad)
    assert.equal(refused.exitCode, 2, `${bad}: ${refused.output}`)
  }
})

test('scale starts and ends instances without a failed request', async () => {
  const load = startLoad({ port: platform.httpPort, host: 'shop.localhost', keepAlive: 8 })
  assert.equal((await gantry('scale', 'web=3')).exitCode, 0)
  await eventually('three instances answer', async () => {
    const seen = new Set<unknown>()
    for (let i = 0; i < 12; i++) seen.add((await ask(platform.httpPort, 'shop.localhost')).headers['x-instance'])
    assert.equal(seen.size, 3)
  })
  assert.match((await gantry('ps')).stdout, /web\.3\s.*healthy/)
  assert.equal((await gantry('scale', 'web=1')).exitCode, 0)
  await eventually('one instance is left', async () => {
    assert.equal(JSON.parse((await gantry('ps', '--json')).stdout).instances.length, 1)
  })
  assert.deepEqual((await load.stop()).failures, [])
})

test('a restart replaces the instances, the new ones first', async () => {
  const before = (await ask(platform.httpPort, 'shop.localhost')).headers['x-instance']
  const load = startLoad({ port: platform.httpPort, host: 'shop.localhost' })
  const restarted = await gantry('restart', 'shop')
  assert.equal(restarted.exitCode, 0, restarted.output)
  await eventually('another instance answers', async () => {
    assert.notEqual((await ask(platform.httpPort, 'shop.localhost')).headers['x-instance'], before)
  })
  assert.deepEqual((await load.stop()).failures, [])
})

test('at zero nothing runs, and the answer says so', async () => {
  assert.equal((await gantry('scale', 'web=0')).exitCode, 0)
  await eventually('no instance is left', async () => {
    assert.equal((await ask(platform.httpPort, 'shop.localhost')).status, 503)
    assert.equal(JSON.parse((await gantry('ps', '--json')).stdout).instances.length, 0)
  })
})
