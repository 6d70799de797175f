import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createDeliveryWorld, until } from '../../test/support/delivery.ts'
import {
  beginDeliveryStories,
  cancel,
  environmentId,
  history,
  type Row,
  row,
  version,
  world,
} from '../../test/support/delivery-story.ts'

beginDeliveryStories()

describe('a push', () => {
  it('is built, released and live, step by step', async () => {
    const id = await world.push(environmentId)
    assert.equal(await world.reaches(id), 'live')
    assert.deepEqual(await history(id), [
      'queued',
      'building',
      'waiting',
      'releasing',
      'rolling_out',
      'watching',
      'live',
    ])
    const { desired, live } = await world.environment(environmentId)
    assert.ok(live)
    assert.equal(desired, live)
    assert.equal((await row(id)).release_id, live)
    assert.equal(await version(live), 1)
  })

  it('whose build fails leaves what is live alone', async () => {
    const first = await world.push(environmentId)
    await world.reaches(first, 'live')
    const before = await world.environment(environmentId)
    world.levers.build = 'fails'
    const second = await world.push(environmentId)
    await world.reaches(second, 'failed')
    assert.equal((await row(second)).error_code, 'build_failed')
    assert.deepEqual(await world.environment(environmentId), before)
  })

  it('whose release never becomes healthy gives the environment back and says why', async () => {
    await world.reaches(await world.push(environmentId), 'live')
    const before = await world.environment(environmentId)
    world.levers.rollout = 'fails'
    const second = await world.push(environmentId)
    await world.reaches(second, 'failed')
    const { error_code, error_message } = await row(second)
    assert.equal(error_code, 'health_check_timeout')
    assert.match(error_message ?? '', /web\.1 is unwell/)
    assert.deepEqual(await world.environment(environmentId), before)
  })

  it('that fails first of all leaves the environment empty', async () => {
    world.levers.rollout = 'fails'
    await world.reaches(await world.push(environmentId), 'failed')
    assert.deepEqual(await world.environment(environmentId), { desired: null, live: null, config: null })
  })

  it('is live only when every router has acknowledged', async () => {
    world.levers.acknowledges = false
    const id = await world.push(environmentId)
    await world.reaches(id, 'watching')
    await assert.rejects(cancel(id), { code: 'invalid_state' })
    world.levers.acknowledges = true
    await world.reaches(id, 'live')
  })

  it('takes the place of one that is still building, which leaves nothing running', async () => {
    world.levers.build = 'hangs'
    const first = await world.push(environmentId)
    await world.reaches(first, 'building')
    await until('the build runs', () => world.building.size === 1)
    world.levers.build = 'succeeds'
    const second = await world.push(environmentId)
    assert.equal((await row(first)).status, 'superseded')
    await world.reaches(second, 'live')
    await until('the first build has ended', () => world.building.size === 0)
    await until('its row too', async () => {
      const [build] = await world.db.query<{ status: string }>(
        'select b.status from builds b join deploys d on d.build_id = b.id where d.id = $1',
        [first],
      )
      return build?.status !== 'building'
    })
  })

  it('takes the place of one that is rolling out: the environment goes back first', async () => {
    const live = await world.push(environmentId)
    await world.reaches(live, 'live')
    const before = await world.environment(environmentId)
    world.levers.rollout = 'hangs'
    const first = await world.push(environmentId)
    await world.reaches(first, 'rolling_out')
    assert.notEqual((await world.environment(environmentId)).desired, before.desired)
    world.levers.build = 'hangs'
    const second = await world.push(environmentId)
    assert.deepEqual(await world.environment(environmentId), before)
    world.levers.build = 'succeeds'
    world.levers.rollout = 'succeeds'
    await world.reaches(second, 'live')
    assert.equal((await row(first)).status, 'superseded')
    assert.equal(await version((await world.environment(environmentId)).live), 3)
  })

  it('does not end one that has switched already', async () => {
    world.levers.acknowledges = false
    const first = await world.push(environmentId)
    await world.reaches(first, 'watching')
    const second = await world.push(environmentId)
    assert.equal((await row(first)).status, 'live')
    world.levers.acknowledges = true
    await world.reaches(second, 'live')
  })

  it('goes on when Gantry breaks, and is given up in the end', async () => {
    const small = await createDeliveryWorld({ limits: { attempts: 2 } })
    const work = small.start()
    try {
      small.levers.build = 'breaks'
      const { environmentId: id } = await small.createApp('broken')
      const deploy = await small.push(id)
      await small.reaches(deploy, 'failed')
      const [found] = await small.db.query<Row>('select * from deploys where id = $1', [deploy])
      assert.equal(found?.error_code, 'interrupted')
      assert.match(found?.error_message ?? '', /the machine is on fire/)
    } finally {
      await work.stop()
      await small.close()
    }
  })
})

describe('many pushes', () => {
  it('to many apps build two at once', async () => {
    world.levers.build = 'hangs'
    const environments = []
    for (let n = 0; n < 5; n++) environments.push((await world.createApp(`many-${n}`)).environmentId)
    const ids = await Promise.all(environments.map((id) => world.push(id)))
    await until('two builds run', () => world.building.size === 2)
    await until('three wait', async () => {
      const rows = await Promise.all(ids.map(row))
      return (
        rows.filter(({ status, wait_reason }) => status === 'queued' && wait_reason?.includes('2 run at once'))
          .length === 3
      )
    })
    world.levers.build = 'succeeds'
    for (const id of ids) await world.reaches(id, 'live')
    assert.equal(world.mostAtOnce(), 2)
  })

  it('at the same moment to one app: the newest goes live, the others are superseded', async () => {
    const ids = await Promise.all(Array.from({ length: 8 }, () => world.push(environmentId)))
    for (const id of ids) await world.reaches(id)
    const rows = await Promise.all(ids.map(row))
    const { live, desired } = await world.environment(environmentId)
    assert.equal(live, desired)
    const last = rows.filter((found) => found.status === 'live').find((found) => found.release_id === live)
    assert.ok(last, JSON.stringify(rows))
    assert.ok(rows.every(({ status }) => status === 'live' || status === 'superseded'))
  })
})

describe('following', () => {
  it('tells what deploys and their builds say, and how they end', async () => {
    const id = await world.push(environmentId)
    const seen = []
    for await (const item of world.delivery.pushListener.follow([id], AbortSignal.timeout(20_000))) seen.push(item)
    const texts = seen.flatMap((item) => (item.kind === 'line' ? [item.text] : []))
    assert.ok(
      texts.indexOf('building') > texts.findIndex((text) => text.includes('The build has begun')),
      texts.join('\n'),
    )
    assert.ok(
      texts.some((text) => /Release v1 is live after/.test(text)),
      texts.join('\n'),
    )
    const [app] = await world.db.query<{ name: string }>('select name from apps order by created_at desc limit 1')
    const end = { kind: 'end', deployId: id, status: 'live', message: `http://${app?.name}.localhost:8080` }
    assert.deepEqual(seen.at(-1), end)
  })

  it('ends when nobody listens any more', async () => {
    world.levers.build = 'hangs'
    const id = await world.push(environmentId)
    const gone = new AbortController()
    for await (const item of world.delivery.pushListener.follow([id], gone.signal)) {
      assert.equal(item.kind, 'line')
      gone.abort()
    }
    await cancel(id)
    await world.reaches(id, 'cancelled')
  })
})
