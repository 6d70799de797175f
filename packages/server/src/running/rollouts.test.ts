import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { until } from '../../test/support/delivery.ts'
import { createRunningWorld, type RunningWorld } from '../../test/support/running.ts'

let world: RunningWorld
beforeEach(async () => {
  world = await createRunningWorld()
})
afterEach(() => world.close())

async function liveApp(types?: Parameters<RunningWorld['make']>[1]) {
  const environment = await world.app('shop')
  const first = await world.release(environment, types)
  world.start()
  await world.settles(environment, [first])
  return { environment, first }
}

describe('rolling out', { timeout: 120_000 }, () => {
  test('the first release starts, is checked, and gets the route and the name live in one commit', async () => {
    const { environment, first } = await liveApp()
    const [instance] = await world.instances(environment, 'healthy')
    assert.ok(instance?.healthy_at)
    assert.equal(await world.live(environment), first)
    const route = world.route(environment)
    assert.deepEqual(route?.hosts, ['shop.localhost'])
    assert.deepEqual([route?.mode, route?.releaseId], ['serve', first])
    assert.deepEqual(route?.targets, [
      { instanceId: instance.id, startedAt: instance.created_at.toISOString(), address: instance.address },
    ])
    assert.deepEqual(world.told, [environment])
  })

  test('the instance sees the config of its release, read when it starts, and its port', async () => {
    const environment = await world.app('shop')
    await world.delivery.setConfig(environment, { COLOUR: 'red' })
    const { config } = await world.delivery.environment(environment)
    const release = await world.release(environment, { web: {} }, config as Parameters<RunningWorld['make']>[2])
    world.start()
    const [instance] = await world.settles(environment, [release])
    const env = world.engine.specOf(instance?.id ?? '')?.env ?? {}
    assert.equal(env.COLOUR, 'red')
    assert.equal(env.GANTRY_RELEASE, 'v1')
    assert.equal(instance?.address?.kind === 'tcp' && String(instance.address.port), env.PORT)
  })

  test('what is live is started again when it crashes, however long the next release takes to come up', async () => {
    const { environment, first } = await liveApp()
    const [victim] = await world.instances(environment, 'healthy')
    world.levers.wellOnly = new Set(victim && [victim.id])
    const second = await world.release(environment)
    await until('it starts', async () => (await world.instances(environment, 'starting')).length === 1)
    const [booting] = await world.instances(environment, 'starting')
    world.levers.ill.add(booting?.id ?? '')
    world.levers.wellOnly = undefined
    world.engine.crash(victim?.id ?? '')
    await until('it is recorded', async () => world.targets(environment).length === 0)
    await world.move(1_000)
    await until('it serves again', async () => world.targets(environment).length === 1)
    const [again] = await world.instances(environment, 'healthy')
    assert.deepEqual([again?.release_id, again?.crashes], [first, 1])
    assert.equal(world.engine.specOf(again?.id ?? '')?.env.GANTRY_RELEASE, 'v1')
    assert.equal(await world.live(environment), first)
    world.levers.ill.clear()
    await world.settles(environment, [second])
  })

  test('the route switches only when every instance of every process type is ready', async () => {
    const { environment, first } = await liveApp({ web: {}, worker: {} })
    await world.scale(environment, { web: 3, worker: 1 })
    await world.settles(environment, [first, first, first, first])
    world.engine.levers.listensAfterMs = undefined
    const before = world.routes.length
    const second = await world.release(environment, { web: {}, worker: {} })
    await until('all four start', async () => (await world.instances(environment, 'starting')).length === 4)
    assert.deepEqual(world.routes.slice(before), [])
    world.engine.levers.listensAfterMs = 0
    const rows = await world.settles(environment, [second, second, second, second])
    const served = rows.filter((row) => row.process_type === 'web').map((row) => row.id)
    assert.equal(world.routes.length, before + 1)
    assert.deepEqual([...world.targets(environment)].sort(), served.sort())
  })

  test('a release whose instance exits fails, says so, and nothing of it is left; the old one was never touched', async () => {
    const { environment, first } = await liveApp()
    const [old] = await world.instances(environment)
    world.engine.levers.listensAfterMs = undefined
    world.engine.levers.exit = { code: 4, afterMs: 20 }
    const bad = await world.release(environment)
    await until('the rollout fails', async () => (await world.rolloutError(environment)) !== undefined)
    const error = await world.rolloutError(environment)
    assert.equal(error?.code, 'instance_exited')
    assert.match(error?.message ?? '', /web\.1 ended before it was healthy: exit code 4/)
    await until('nothing of it runs', async () => {
      const rows = await world.instances(environment)
      return rows.every((row) => row.release_id !== bad || row.status === 'ended')
    })
    assert.equal(await world.live(environment), first)
    assert.deepEqual(world.targets(environment), [old?.id])
    assert.deepEqual(world.told, [environment, environment])
    await world.desire(environment, first)
    assert.deepEqual(
      (await world.settles(environment, [first])).map((row) => row.id),
      [old?.id],
    )
  })

  test('a release that the engine refuses, or that cannot be read, fails instead of being tried for ever', async () => {
    const { environment, first } = await liveApp()
    world.engine.levers.specRejection = 'no such toolchain'
    await world.release(environment)
    await until('the rollout fails', async () => (await world.rolloutError(environment)) !== undefined)
    assert.match((await world.rolloutError(environment))?.message ?? '', /could not be started: no such toolchain/)
    world.engine.levers.specRejection = undefined
    await world.delivery.setConfig(environment, { COLOUR: 'red' })
    await world.db.query(`update config_values set ciphertext = '\\x00'`)
    const { config } = await world.delivery.environment(environment)
    await world.release(environment, { web: {} }, config as Parameters<RunningWorld['make']>[2])
    await until('this one fails, too', async () => {
      return /not a sealed secret/.test((await world.rolloutError(environment))?.message ?? '')
    })
    await world.desire(environment, first)
    await world.settles(environment, [first])
  })

  test('a release that is not ready in time fails, and not before', async () => {
    const { environment, first } = await liveApp()
    world.engine.levers.listensAfterMs = undefined
    await world.release(environment)
    await until('it starts', async () => (await world.instances(environment, 'starting')).length === 1)
    await world.move(59_000)
    assert.equal(await world.rolloutError(environment), undefined)
    await world.move(2_000)
    await until('the rollout fails', async () => (await world.rolloutError(environment)) !== undefined)
    const error = await world.rolloutError(environment)
    assert.equal(error?.code, 'health_check_timeout')
    assert.match(error?.message ?? '', /did not listen on port \d+ within 60 s/)
    await world.desire(environment, first)
    await world.settles(environment, [first])
  })

  test('a control plane that comes back after the limit asks once before it gives up', async () => {
    const environment = await world.app('shop')
    world.engine.levers.listensAfterMs = undefined
    const release = await world.release(environment)
    const first = world.start()
    await until('it starts', async () => (await world.instances(environment, 'starting')).length === 1)
    await first.stop()
    world.engine.levers.listensAfterMs = 0
    await world.move(600_000)
    world.start()
    await world.settles(environment, [release])
  })

  test('an answer of somebody else on the port is none, and is what the failure tells of', async () => {
    const { environment } = await liveApp()
    world.engine.levers.listensAfterMs = undefined
    await world.release(environment)
    await until('it starts', async () => (await world.instances(environment, 'starting')).length === 1)
    const [instance] = await world.instances(environment, 'starting')
    assert.equal(instance?.address?.kind, 'tcp')
    if (instance?.address?.kind === 'tcp') world.levers.strangers.add(instance.address.port)
    world.levers.strangersAnswer = true
    const before = world.routes.length
    await world.move(60_000)
    await until('the rollout fails', async () => (await world.rolloutError(environment)) !== undefined)
    assert.match(
      (await world.rolloutError(environment))?.message ?? '',
      /another process answers on the port of web\.1/,
    )
    assert.equal(world.routes.length, before)
  })

  test('an instance whose port somebody took meanwhile gets another one, and the rollout goes on', async () => {
    const environment = await world.app('shop')
    world.engine.levers.listensAfterMs = undefined
    const release = await world.release(environment)
    world.start()
    await until('it starts', async () => (await world.instances(environment, 'starting')).length === 1)
    const [unlucky] = await world.instances(environment)
    const port = unlucky?.address?.kind === 'tcp' ? unlucky.address.port : 0
    world.levers.strangers.add(port)
    world.engine.levers.listensAfterMs = 0
    world.engine.crash(unlucky?.id ?? '', { code: 1 })
    const [lucky] = await world.settles(environment, [release])
    assert.notDeepEqual(lucky?.address, unlucky?.address)
    assert.equal(lucky?.crashes, 0)
    const [ended] = await world.instances(environment, 'ended')
    assert.equal(ended?.end_reason, `another process has its port ${port}`)
    assert.equal(await world.rolloutError(environment), undefined)
  })

  test('a port on which something listens is passed over', async () => {
    const environment = await world.app('shop')
    world.levers.strangers.add(20_000)
    const numbers = [0, 0.0001]
    world.levers.random = () => numbers.shift() ?? 0.5
    const release = await world.release(environment)
    world.start()
    const [instance] = await world.settles(environment, [release])
    assert.deepEqual(instance?.address, { kind: 'tcp', host: '127.0.0.1', port: 20_001 })
    const [rests] = await world.db.query('select * from ports where port = 20000 and free_after is not null')
    assert.ok(rests)
  })

  test('a rollout that is taken back while it starts stops what it started, and one that supersedes it goes on', async () => {
    const { environment, first } = await liveApp()
    const [old] = await world.instances(environment)
    world.engine.levers.listensAfterMs = undefined
    const second = await world.release(environment)
    await until('it starts', async () => (await world.instances(environment, 'starting')).length === 1)
    await world.desire(environment, first)
    await world.settles(environment, [first])
    assert.deepEqual(world.targets(environment), [old?.id])
    await world.desire(environment, second)
    await until('it starts again', async () => (await world.instances(environment, 'starting')).length === 1)
    world.engine.levers.listensAfterMs = 0
    const third = await world.release(environment)
    await world.settles(environment, [third])
    assert.equal(await world.live(environment), third)
  })

  test('going back to the release before is a rollout like any other', async () => {
    const { environment, first } = await liveApp()
    const second = await world.release(environment)
    await world.settles(environment, [second])
    await world.desire(environment, first)
    await world.settles(environment, [first])
    assert.equal(await world.live(environment), first)
  })

  test('a web type without overlap has its requests held, ends, and only then its successor starts', async () => {
    const types = { web: { overlap: false } }
    const { environment, first } = await liveApp(types)
    const [old] = await world.instances(environment)
    world.levers.openRequests.set(old?.id ?? '', 1)
    const second = await world.release(environment, types)
    await until('it is held', () => world.route(environment)?.mode === 'hold')
    assert.equal(await world.live(environment), first)
    assert.deepEqual(await world.instances(environment, 'starting'), [])
    world.levers.openRequests.clear()
    await world.move(1000)
    const [made] = await world.settles(environment, [second])
    const [ended] = await world.instances(environment, 'ended')
    assert.ok((ended?.ended_at ?? 0) <= (made?.created_at ?? 0), 'never both')
    assert.deepEqual([world.route(environment)?.mode, world.targets(environment)], ['serve', [made?.id]])
  })
})
