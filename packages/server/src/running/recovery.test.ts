import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { until } from '../../test/support/delivery.ts'
import { createRunningWorld, type RunningWorld } from '../../test/support/running.ts'
import { Fenced, type InstanceSpec } from '../engines/engine.ts'
import type { EnvironmentId, ReleaseId } from '../kernel/ids.ts'

let world: RunningWorld
beforeEach(async () => {
  world = await createRunningWorld()
})
afterEach(() => world.close())

const signal = new AbortController().signal

async function liveApp(name = 'shop') {
  const environment = await world.app(name)
  const first = await world.release(environment)
  const process = world.start()
  const [instance] = await world.settles(environment, [first])
  assert.ok(instance)
  return { environment, first, process, instance }
}

async function observedIds(): Promise<string[]> {
  return (await world.engine.observe('all', signal)).map((observed) => observed.id)
}

describe('what the running loop finds again', { timeout: 120_000 }, () => {
  test('an engine that goes away in the middle of a rollout and comes back', async () => {
    const { environment, first } = await liveApp()
    world.engine.levers.listensAfterMs = undefined
    const second = await world.release(environment)
    await until('it starts', async () => (await world.instances(environment, 'starting')).length === 1)
    world.engine.levers.outage = true
    await world.move(5_000)
    assert.equal(await world.live(environment), first)
    world.engine.levers.listensAfterMs = 0
    world.engine.levers.outage = false
    const [made] = await world.settles(environment, [second])
    assert.equal(made?.crashes, 0)
  })

  test('an engine that is away when a rollout begins', async () => {
    const { environment, first } = await liveApp()
    world.engine.levers.outage = true
    const second = await world.release(environment)
    await until('the intent is there', async () => (await world.instances(environment, 'starting')).length === 1)
    await world.move(120_000)
    assert.equal(await world.live(environment), first)
    assert.equal(await world.rolloutError(environment), undefined)
    world.engine.levers.outage = false
    await world.settles(environment, [second])
  })

  test('an end that nobody was told of, at the next look at everything', async () => {
    const { environment, first, instance } = await liveApp()
    world.engine.levers.loseHints = true
    world.engine.crash(instance.id)
    await world.move(30_000)
    await until('it is recorded', async () => (await world.instances(environment, 'ended')).length === 1)
    await world.move(1_000)
    await world.settles(environment, [first])
  })

  test('an end that nobody was told of, as soon as the engine is there again', async () => {
    const { environment, first, instance } = await liveApp()
    world.engine.levers.loseHints = true
    world.engine.crash(instance.id)
    world.engine.reconnect()
    await until('it is recorded', async () => (await world.instances(environment, 'ended')).length === 1)
    await world.move(1_000)
    await world.settles(environment, [first])
  })

  test('an engine that went away before it was told to forget what had ended', async () => {
    const { environment } = await liveApp()
    world.levers.failpoint = (name) => {
      if (name === 'instance.end.after') world.engine.levers.outage = true
    }
    const second = await world.release(environment)
    await until('the new one is live', async () => (await world.live(environment)) === second)
    await world.move(1_000)
    await until('the old one has ended', async () => (await world.instances(environment, 'ended')).length === 1)
    await world.move(2_000)
    world.engine.levers.outage = false
    await world.move(2_000)
    const [made] = await world.settles(environment, [second])
    assert.deepEqual(await observedIds(), [made?.id])
  })

  test('an instance that the engine has never heard of', async () => {
    const { environment, first, instance } = await liveApp()
    world.engine.levers.loseHints = true
    world.engine.lose(instance.id)
    await world.move(30_000)
    await until('its end is recorded', async () => (await world.instances(environment, 'ended')).length === 1)
    const [made] = await world.settles(environment, [first])
    assert.notEqual(made?.id, instance.id)
    assert.equal(made?.crashes, 0, 'what is lost has not crashed')
  })

  test('an intent that was never carried out: the same instance is started', async () => {
    const { environment, process } = await liveApp()
    await process.stop()
    const second = await world.make(environment)
    await world.db.query(
      `insert into instances (id, team_id, app_id, environment_id, release_id, process_type, slot, generation, status,
         address, created_at, started_at)
       select 'ins_intended', team_id, app_id, environment_id, $2, 'web', 0, 1, 'starting', address, now(), now()
       from instances where environment_id = $1 limit 1`,
      [environment, second],
    )
    await world.desire(environment, second)
    world.start()
    const [made] = await world.settles(environment, [second])
    assert.equal(made?.id, 'ins_intended')
  })

  test('what runs without a row ends, and what belongs to others is left alone', async () => {
    const { environment, first, process, instance } = await liveApp()
    await process.stop()
    const spec = world.engine.specOf(instance.id) as InstanceSpec
    await world.engine.start({ ...spec, id: 'ins_stray' }, { scope: environment, number: 1e9 }, signal)
    world.start()
    await until('the stray is gone', async () => !(await observedIds()).includes('ins_stray'))
    assert.deepEqual(
      (await world.settles(environment, [first])).map((row) => row.id),
      [instance.id],
    )
  })

  test('a control plane that ends at any moment of a rollout', async () => {
    const environment = await world.app('shop')
    let release: ReleaseId | undefined
    for (let n = 0; n < 6; n++) {
      release = await world.release(environment)
      const process = world.start({ seat: 'the only one' })
      await until('it has begun', async () =>
        (await world.instances(environment)).some((row) => row.release_id === release),
      )
      await process.stop()
    }
    assert.ok(release)
    world.start({ seat: 'the only one' })
    await until('the last one is live', async () => (await world.live(environment)) === release)
    await world.move(1_000)
    const [instance] = await world.settles(environment, [release])
    await until('nothing else is left', async () => (await observedIds()).join() === instance?.id)
    const ports = await world.db.query<{ instance_id: string }>('select * from ports where instance_id is not null')
    assert.deepEqual(
      ports.map((row) => row.instance_id),
      [instance?.id],
    )
  })

  test('who has lost an environment to another changes nothing any more', async () => {
    const { environment, first, process } = await liveApp()
    await process.stop()
    const second = await world.release(environment)
    const [claimed] = await world.db.query<{ fence: number }>(
      `update work set fence = nextval('fences'), leased_by = 'another', lease_until = now() + interval '1 hour'
       where subject = $1 returning fence`,
      [environment],
    )
    const fence = (claimed?.fence ?? 0) - 1
    const stale = { kind: 'environment', subject: environment, fence, attempt: 1 } as const
    const before = world.routes.length
    await assert.rejects(process.running.handleEnvironment(stale, signal), Fenced)
    assert.equal(world.routes.length, before)
    assert.equal(await world.live(environment), first)
    assert.equal((await world.instances(environment)).length, 1)
    await world.db.query(`update work set lease_until = null, run_at = now() where subject = $1`, [environment])
    world.start()
    await world.settles(environment, [second])
  })

  test('one app with rows that cannot be read keeps no other from running, being checked or rolling out', async () => {
    const { environment: poisoned } = await liveApp('poisoned')
    const other = await world.app('other')
    const release = await world.release(other)
    const [instance] = await world.settles(other, [release])
    await world.db.query(`update instances set address = '"nowhere"' where environment_id = $1`, [poisoned])
    await world.db.query(`update releases set process_types = '{"web": null}' where environment_id = $1`, [poisoned])
    await world.db.query(`update environments set generation = 2147483647, scale = '[7]' where id = $1`, [poisoned])
    await world.restart(poisoned).catch(() => undefined)
    await world.desire(poisoned, await world.make(poisoned))
    world.levers.ill.add(instance?.id ?? '')
    for (let n = 1; n <= 3; n++) {
      await world.move(10_000)
      await until(`check ${n} has failed`, async () => {
        const rows = await world.db.query('select 1 from instances where id = $1 and failed_checks < $2', [
          instance?.id,
          n,
        ])
        return rows.length === 0
      })
    }
    await world.move(1_000)
    const [healed] = await world.settles(other, [release])
    assert.notEqual(healed?.id, instance?.id)
    const next = await world.release(other)
    await until('it rolls out', async () => (await world.live(other)) === next)
  })

  test('a hundred environments at once', async () => {
    const wanted = new Map<EnvironmentId, ReleaseId>()
    for (let n = 0; n < 100; n++) {
      const environment = await world.app(`app-${n}`)
      wanted.set(environment, await world.make(environment))
    }
    world.start()
    await Promise.all([...wanted].map(([environment, release]) => world.desire(environment, release)))
    for (const [environment, release] of wanted) await world.settles(environment, [release])
    const ports = await world.db.query('select 1 from ports where instance_id is not null')
    assert.equal(ports.length, 100)
  })

  test('looking at what is well writes nothing and asks for no work', async () => {
    const { environment } = await liveApp()
    const versions = () =>
      world.db.query(
        `select i.xmin::text as instance, e.xmin::text as environment, (select count(*)::int from work) as work
         from instances i join environments e on e.id = i.environment_id`,
      )
    const looks = await lookCounter()
    const before = await versions()
    const fence = await lastFence()
    for (let n = 0; n < 4; n++) {
      await world.move(10_000)
      await until('the check is over', () => looks() > n)
    }
    await world.move(30_000)
    await until('everything has been looked at', () => looks() > 4)
    assert.deepEqual(await versions(), before)
    assert.equal(await lastFence(), fence, 'no work was claimed')
    assert.equal((await world.instances(environment, 'healthy')).length, 1)
  })
})

/** Counts how often the engine was asked who listens, which every check of this world does. */
async function lookCounter(): Promise<() => number> {
  let count = 0
  const listeners = world.engine.listeners.bind(world.engine)
  world.engine.listeners = (id, signal) => {
    count++
    return listeners(id, signal)
  }
  return () => count
}

async function lastFence(): Promise<number> {
  const [row] = await world.db.query<{ last: number }>('select last_value as last from fences')
  return row?.last ?? 0
}
