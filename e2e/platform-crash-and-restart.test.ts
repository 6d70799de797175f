import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, before, type TestContext, test } from 'node:test'
import { eventually } from './support/eventually.ts'
import { ask } from './support/http.ts'
import { askLifecycle } from './support/lifecycle.ts'
import { startLoad } from './support/load.ts'
import { type Platform, startPlatform } from './support/platform.ts'
import { anApp, createProject } from './support/project.ts'

let platform: Platform
before(async () => {
  platform = await startPlatform({ homeName: 'a home' })
  const project = await createProject(platform, 'shop', anApp('v1'))
  assert.equal((await project.push()).exitCode, 0)
})
after(() => platform.destroy())

async function instanceId(): Promise<unknown> {
  return (await ask(platform.httpPort, 'shop.localhost')).headers['x-instance']
}

async function pidOf(name: string): Promise<number> {
  const { programs } = await askLifecycle(platform.home)
  const pid = programs.find((program) => program.name === name)?.pid
  assert.ok(pid, `${name} runs`)
  return pid
}

function load(t: TestContext) {
  const running = startLoad({ port: platform.httpPort, host: 'shop.localhost', keepAlive: 4, closing: 4, posting: 2 })
  t.after(() => running.stop())
  return running
}

test('gantry restart puts new processes in the place of the old ones, and no request is lost', async (t) => {
  const instance = await instanceId()
  const before = await askLifecycle(platform.home)
  const running = load(t)
  const restarted = await platform.gantry(['restart'])
  assert.equal(restarted.exitCode, 0, restarted.output)
  const after = await askLifecycle(platform.home)
  assert.notEqual(after.pid, before.pid)
  assert.deepEqual((await running.stop()).failures, [])
  assert.equal(await instanceId(), instance)
  await platform.gantry(['down'])
  await platform.up()
})

test('kill -9 of control plane and PostgreSQL: apps never notice, and both come back', async (t) => {
  await eventually('the app is back', async () =>
    assert.equal((await ask(platform.httpPort, 'shop.localhost')).body, 'v1'),
  )
  const instance = await instanceId()
  const running = load(t)
  for (const name of ['control-plane', 'postgres']) {
    const pid = await pidOf(name)
    process.kill(pid, 'SIGKILL')
    await eventually(`${name} is back`, async () => {
      assert.notEqual(await pidOf(name), pid)
      assert.equal((await platform.api('GET', '/v1/apps')).status, 200)
    })
  }
  assert.deepEqual((await running.stop()).failures, [])
  assert.equal(await instanceId(), instance)
})

test('kill -9 of the supervisor: apps, router and API go on, and the next start finds them all', async (t) => {
  const instance = await instanceId()
  const names = ['control-plane', 'router', 'postgres']
  const before = await Promise.all(names.map(pidOf))
  const running = load(t)
  const follower = platform.process()
  const followed = once(follower, 'exit')
  process.kill((await askLifecycle(platform.home)).pid, 'SIGKILL')
  await followed
  assert.equal((await platform.api('GET', '/v1/apps')).status, 200)
  await platform.up()
  await eventually('the supervisor is ready', async () => {
    assert.equal((await askLifecycle(platform.home)).state, 'ready')
  })
  assert.deepEqual(await Promise.all(names.map(pidOf)), before)
  const handed = await platform.gantry(['restart', 'router'])
  assert.equal(handed.exitCode, 0, handed.output)
  assert.deepEqual((await running.stop()).failures, [])
  assert.equal(await instanceId(), instance)
})

test('kill -9 of the router: requests it had in hand are lost, the next ones wait for its successor', async () => {
  const instance = await instanceId()
  process.kill(await pidOf('router'), 'SIGKILL')
  assert.equal(await instanceId(), instance)
})

test('gantry down stops everything even when the supervisor was killed', async () => {
  const followed = once(platform.process(), 'exit')
  process.kill((await askLifecycle(platform.home)).pid, 'SIGKILL')
  await followed
  assert.equal((await ask(platform.httpPort, 'shop.localhost')).body, 'v1')
  const stopped = await platform.gantry(['down'])
  assert.equal(stopped.exitCode, 0, stopped.output)
  assert.match(stopped.output, /Stopped/)
  await assert.rejects(ask(platform.httpPort, 'shop.localhost'), /ECONNREFUSED/)
  assert.match((await platform.gantry(['down'])).output, /Nothing runs/)
})
