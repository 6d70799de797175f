import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { until } from '../../test/support/delivery.ts'
import { createRunningWorld, type InstanceFacts, type RunningWorld } from '../../test/support/running.ts'
import type { EnvironmentId } from '../kernel/ids.ts'

let world: RunningWorld
beforeEach(async () => {
  world = await createRunningWorld()
})
afterEach(() => world.close())

const idsOf = (rows: readonly InstanceFacts[]) => rows.map((row) => row.id).sort()

async function liveApp(web = 1, types?: Parameters<RunningWorld['make']>[1]) {
  const environment = await world.app('shop')
  await world.scale(environment, { web })
  const first = await world.release(environment, types)
  world.start()
  await world.settles(
    environment,
    Array.from({ length: web }, () => first),
  )
  return { environment, first }
}

async function crash(environment: EnvironmentId): Promise<InstanceFacts> {
  const [victim] = await world.instances(environment, 'healthy')
  assert.ok(victim)
  world.engine.crash(victim.id, { code: 3 })
  await until('its end is recorded', async () =>
    (await world.instances(environment, 'ended')).some((it) => it.id === victim.id),
  )
  return victim
}

async function failsChecks(id: string): Promise<void> {
  world.levers.ill.add(id)
  for (let n = 1; n <= 3; n++) {
    await world.move(10_000)
    await until(`check ${n} has failed`, async () => {
      const rows = await world.db.query('select 1 from instances where id = $1 and failed_checks < $2', [id, n])
      return rows.length === 0
    })
  }
}

describe('keeping a release running', { timeout: 120_000 }, () => {
  test('a crash takes it out of the route at once, and it starts again 1 s, 2 s, 4 s later', async () => {
    const { environment, first } = await liveApp()
    for (const [crashes, waitMs] of [
      [1, 1000],
      [2, 2000],
      [3, 4000],
    ] as const) {
      const { id } = await crash(environment)
      assert.deepEqual(world.targets(environment), [])
      await world.move(waitMs)
      const [next] = await world.settles(environment, [first])
      const ended = (await world.instances(environment, 'ended')).find((it) => it.id === id)
      assert.equal(ended?.crashes, crashes)
      assert.equal(ended?.end_reason, 'exit code 3')
      assert.ok((next?.created_at.getTime() ?? 0) - (ended?.ended_at?.getTime() ?? 0) >= waitMs)
      assert.deepEqual(world.targets(environment), [next?.id])
    }
    assert.match(
      world.delivery.logs.lines(`app/${await appOf(environment)}/${environment}`).join('\n'),
      /web\.1 crashed: exit code 3/,
    )
  })

  test('ten healthy minutes make a crash the first one again', async () => {
    const { environment, first } = await liveApp()
    await crash(environment)
    await world.move(1000)
    await world.settles(environment, [first])
    await world.move(10 * 60_000)
    await crash(environment)
    const crashes = (await world.instances(environment, 'ended')).map((row) => row.crashes)
    assert.deepEqual(crashes, [1, 1])
  })

  test('an instance of the live release that never listens is stopped, counts as a crash, and is waited for', async () => {
    const { environment } = await liveApp()
    world.engine.levers.listensAfterMs = undefined
    await crash(environment)
    await world.move(1000)
    await until('the next one starts', async () => (await world.instances(environment, 'starting')).length === 1)
    await world.move(60_000)
    await until('it is given up', async () => (await world.instances(environment, 'ended')).length === 2)
    const [, last] = await world.instances(environment, 'ended')
    assert.deepEqual([last?.end_reason, last?.crashes], ['not healthy within 60 s', 2])
    await world.move(2000)
    world.engine.levers.listensAfterMs = 0
    await until('it is back', async () => (await world.instances(environment, 'healthy')).length === 1)
    const [back] = await world.instances(environment, 'healthy')
    assert.ok((back?.created_at.getTime() ?? 0) - (last?.ended_at?.getTime() ?? 0) >= 2000)
  })

  test('two instances that crash together leave nobody who is gone in the route', async () => {
    const { environment } = await liveApp(3)
    const rows = await world.instances(environment, 'healthy')
    const [one, two, three] = rows
    world.engine.levers.listensAfterMs = undefined
    for (const victim of [one, two]) world.engine.crash(victim?.id ?? '')
    await until('both are recorded', async () => (await world.instances(environment, 'ended')).length === 2)
    assert.deepEqual(world.targets(environment), [three?.id])
  })

  test('more instances than ended rows are kept: all of them wait after they crashed together', async () => {
    const { environment, first } = await liveApp()
    await world.scale(environment, { web: 24 })
    const rows = await world.settles(
      environment,
      Array.from({ length: 24 }, () => first),
    )
    for (const row of rows) world.engine.crash(row.id)
    await until('all are recorded', async () => (await world.instances(environment, 'healthy')).length === 0)
    assert.deepEqual(await world.instances(environment, 'starting'), [])
    await world.settles(
      environment,
      Array.from({ length: 24 }, () => first),
    )
    assert.equal((await world.instances(environment, 'ended')).length, 24)
  })

  test('unhealthy instances lose the route while others are well, and are replaced one at a time, the new one first', async () => {
    const { environment, first } = await liveApp(3)
    const rows = await world.instances(environment, 'healthy')
    const ill = rows.slice(0, 2).map((row) => row.id)
    for (const id of ill) world.levers.ill.add(id)
    await failsChecks(ill[0] ?? '')
    await world.settles(environment, [first, first, first])
    const after = await world.instances(environment, 'healthy')
    assert.ok(after.every((row) => !(ill as string[]).includes(row.id)))
    assert.deepEqual([...world.targets(environment)].sort(), idsOf(after))
    const made = after.filter((row) => !rows.some((old) => old.id === row.id))
    const ended = await world.instances(environment, 'ended')
    assert.equal(made.length, 2)
    for (const row of ended) {
      const successor = made.find((it) => it.slot === row.slot)
      assert.ok((successor?.healthy_at ?? 0) <= (row.ended_at ?? 0), 'the new one first')
    }
    for (const content of world.routes) assert.ok((content?.targets.length ?? 0) > 0, 'somebody always serves')
  })

  test('an unhealthy instance that is well again before it is replaced leaves one in its slot', async () => {
    const { environment, first } = await liveApp(2)
    const [sick, well] = await world.instances(environment, 'healthy')
    world.levers.wellOnly = new Set([well?.id ?? ''])
    await failsChecks(sick?.id ?? '')
    await until('its successor starts', async () => (await world.instances(environment, 'starting')).length === 1)
    assert.ok(!world.targets(environment).includes(sick?.id ?? ''))
    world.levers.wellOnly = new Set([well?.id ?? '', sick?.id ?? ''])
    world.levers.ill.clear()
    await world.move(10_000)
    await until('it is well again', () => world.targets(environment).includes(sick?.id ?? ''))
    world.levers.wellOnly = undefined
    await until(
      'only one is left in its slot',
      async () => (await world.instances(environment, 'healthy')).length === 2,
    )
    await world.move(1000)
    const rows = await world.settles(environment, [first, first])
    assert.deepEqual(rows.map((row) => row.slot).sort(), [0, 1])
    assert.deepEqual([...world.targets(environment)].sort(), idsOf(rows))
  })

  test('an unhealthy instance that must not overlap ends before its successor starts', async () => {
    const { environment, first } = await liveApp(1, { web: { overlap: false } })
    const [sick] = await world.instances(environment, 'healthy')
    await failsChecks(sick?.id ?? '')
    await world.move(1000)
    await until('it is replaced', async () => (await world.instances(environment, 'ended')).length === 1)
    await world.move(1000)
    const [made] = await world.settles(environment, [first])
    const [ended] = await world.instances(environment, 'ended')
    assert.ok((ended?.ended_at ?? 0) <= (made?.created_at ?? 0), 'never both')
  })

  test('scaling starts what is missing and drains the highest slots', async () => {
    const { environment, first } = await liveApp()
    const [kept] = await world.instances(environment, 'healthy')
    await world.scale(environment, { web: 3 })
    await world.settles(environment, [first, first, first])
    assert.equal(world.targets(environment).length, 3)
    await world.scale(environment, { web: 1 })
    await until(
      'they drain',
      async () => (await world.instances(environment, 'draining', 'stopping', 'ended')).length === 2,
    )
    await world.move(1000)
    const rows = await world.settles(environment, [first])
    assert.deepEqual(idsOf(rows), [kept?.id])
    await world.scale(environment, { web: 0 })
    await world.move(1000)
    await world.settles(environment, [])
    assert.deepEqual(world.targets(environment), [])
    assert.equal(await world.live(environment), first)
  })

  test('a restart replaces every instance, the new ones first', async () => {
    const { environment, first } = await liveApp(2)
    const before = idsOf(await world.instances(environment, 'healthy'))
    await world.restart(environment)
    await until('the route has moved', () =>
      world.targets(environment).every((id) => !before.includes(id as InstanceFacts['id'])),
    )
    await world.move(1000)
    const rows = await world.settles(environment, [first, first])
    assert.deepEqual(
      rows.map((row) => row.generation),
      [2, 2],
    )
    for (const content of world.routes.slice(1)) assert.equal(content?.targets.length, 2)
  })

  test('what drains ends when its last request does, at 30 s, or as the oldest of three generations', async () => {
    const { environment } = await liveApp()
    const drained: string[] = []
    const isLeft = async (id: string) => (await world.instances(environment, 'draining')).some((row) => row.id === id)
    for (let n = 0; n < 2; n++) {
      const [old] = await world.instances(environment, 'healthy')
      drained.push(old?.id ?? '')
      world.levers.openRequests.set(old?.id ?? '', 1)
      const next = await world.release(environment)
      await until('it is live', async () => (await world.live(environment)) === next)
      await world.move(1000)
    }
    const [one = '', two = ''] = drained
    assert.ok((await isLeft(one)) && (await isLeft(two)))
    const [old] = await world.instances(environment, 'healthy')
    const three = old?.id ?? ''
    world.levers.openRequests.set(three, 1)
    const last = await world.release(environment)
    await until('it is live', async () => (await world.live(environment)) === last)
    await until('the oldest is cut', async () => !(await isLeft(one)))
    assert.ok((await isLeft(two)) && (await isLeft(three)))
    world.levers.openRequests.set(two, 0)
    await world.move(1000)
    await until('one without a request ends', async () => !(await isLeft(two)))
    assert.ok(await isLeft(three))
    await world.move(30_000)
    await world.settles(environment, [last])
  })

  test('nothing ends before every router has acknowledged the switch', async () => {
    const { environment } = await liveApp()
    const [old] = await world.instances(environment, 'healthy')
    world.levers.acknowledges = false
    const second = await world.release(environment)
    await until('it is live', async () => (await world.live(environment)) === second)
    await world.move(60_000)
    await world.move(60_000)
    assert.deepEqual(idsOf(await world.instances(environment, 'draining')), [old?.id])
    assert.ok(world.engine.specOf(old?.id ?? ''))
    world.levers.acknowledges = true
    await world.settles(environment, [second])
  })

  test('a deleted environment loses route, instances and rows, also when nothing of it is up', async () => {
    const { environment } = await liveApp(2)
    await world.remove(environment)
    await until('the route is gone', () => world.route(environment) === null)
    await world.move(1000)
    await until('its rows are gone', async () => {
      return (await world.db.query('select 1 from environments where id = $1', [environment])).length === 0
    })
    const other = await world.app('other')
    await world.release(other)
    await until('it runs', async () => (await world.instances(other, 'healthy')).length === 1)
    await crash(other)
    await world.remove(other)
    await until('the route is gone', () => world.route(other) === null)
    await until('its rows are gone', async () => {
      return (await world.db.query('select 1 from environments where id = $1', [other])).length === 0
    })
    assert.deepEqual(await world.engine.observe('all', new AbortController().signal), [])
  })
})

async function appOf(environment: EnvironmentId): Promise<string> {
  const [row] = await world.db.query<{ app_id: string }>('select app_id from environments where id = $1', [environment])
  return row?.app_id ?? ''
}
