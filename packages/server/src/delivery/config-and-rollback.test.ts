import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { until } from '../../test/support/delivery.ts'
import {
  beginDeliveryStories,
  cancel,
  environmentId,
  history,
  rollBack,
  row,
  world,
} from '../../test/support/delivery-story.ts'

beginDeliveryStories()

async function isConfigLive(): Promise<boolean> {
  const { live, config } = await world.environment(environmentId)
  const [release] = await world.db.query<{ config_id: string | null }>('select config_id from releases where id = $1', [
    live,
  ])
  return release?.config_id === config
}

describe('config', () => {
  it('before the first release begins nothing, and is carried by the first push', async () => {
    assert.equal(await world.setConfig(environmentId, { A: '1' }), undefined)
    await world.reaches(await world.push(environmentId), 'live')
    const { live, config } = await world.environment(environmentId)
    const [release] = await world.db.query<{ config_id: string }>('select config_id from releases where id = $1', [
      live,
    ])
    assert.equal(release?.config_id, config)
  })

  it('makes a release of the same artifact without a build', async () => {
    await world.reaches(await world.push(environmentId), 'live')
    const before = await world.environment(environmentId)
    const id = await world.setConfig(environmentId, { A: '1' })
    assert.ok(id)
    await world.reaches(id, 'live')
    const { live, config } = await world.environment(environmentId)
    const rows = await world.db.query<{ artifact_id: string; config_id: string | null; reason: string }>(
      'select artifact_id, config_id, reason from releases where id = any($1) order by version',
      [[before.live, live]],
    )
    assert.equal(rows[0]?.artifact_id, rows[1]?.artifact_id)
    assert.equal(rows[1]?.config_id, config)
    assert.equal(rows[1]?.reason, 'config')
    assert.equal(await world.setConfig(environmentId, { A: '1' }), undefined)
  })

  it('waits for a push on its way, and is not needed when that has carried it', async () => {
    await world.reaches(await world.push(environmentId), 'live')
    world.levers.build = 'hangs'
    const push = await world.push(environmentId)
    await world.reaches(push, 'building')
    const first = await world.setConfig(environmentId, { A: '1' })
    const second = await world.setConfig(environmentId, { A: '2' })
    assert.ok(first && second)
    assert.equal((await row(first)).status, 'superseded')
    await world.reaches(second, 'waiting')
    assert.match((await row(second)).wait_reason ?? '', new RegExp(push))
    world.levers.build = 'succeeds'
    await world.reaches(push, 'live')
    await world.reaches(second, 'superseded')
    assert.match((await row(second)).error_message ?? '', /carries the config already/)
  })

  it('is not lost when the push that took its place fails', async () => {
    await world.reaches(await world.push(environmentId), 'live')
    world.levers.rollout = 'hangs'
    const config = await world.setConfig(environmentId, { A: '1' })
    assert.ok(config)
    await world.reaches(config, 'rolling_out')
    world.levers.build = 'fails'
    const push = await world.push(environmentId)
    await world.reaches(push, 'failed')
    world.levers.rollout = 'succeeds'
    await until('the config is live', isConfigLive)
  })

  it('is not lost either when two pushes took its place, one after the other, and the last one fails', async () => {
    await world.reaches(await world.push(environmentId), 'live')
    world.levers.rollout = 'hangs'
    const config = await world.setConfig(environmentId, { A: '1' })
    assert.ok(config)
    await world.reaches(config, 'rolling_out')
    world.levers.build = 'hangs'
    const first = await world.push(environmentId)
    await world.reaches(first, 'building')
    world.levers.build = 'fails'
    await world.reaches(await world.push(environmentId), 'failed')
    assert.deepEqual([(await row(config)).status, (await row(first)).status], ['superseded', 'superseded'])
    world.levers.rollout = 'succeeds'
    await until('the config is live', isConfigLive)
  })

  it('that is cancelled does not come back for an older change whose place it took', async () => {
    await world.reaches(await world.push(environmentId), 'live')
    world.levers.rollout = 'hangs'
    const first = await world.setConfig(environmentId, { A: '1' })
    const second = await world.setConfig(environmentId, { A: '2' })
    assert.ok(first && second)
    await world.reaches(second, 'rolling_out')
    await cancel(second)
    await until('it is cleaned up', async () => {
      return (await world.db.query('select 1 from work where subject = $1', [second])).length === 0
    })
    assert.deepEqual(
      await world.db.query('select id from deploys where environment_id = $1 and finished_at is null', [environmentId]),
      [],
    )
  })

  it('set while the first release rolls out is not lost either', async () => {
    world.levers.rollout = 'hangs'
    const push = await world.push(environmentId)
    await world.reaches(push, 'rolling_out')
    const config = await world.setConfig(environmentId, { A: '1' })
    assert.ok(config)
    world.levers.rollout = 'succeeds'
    await world.reaches(push, 'live')
    await world.reaches(config, 'live')
  })
})

describe('a rollback', () => {
  it('takes a release back whole: artifact, process types and config', async () => {
    await world.setConfig(environmentId, { A: '1' })
    await world.reaches(await world.push(environmentId), 'live')
    const first = await world.environment(environmentId)
    const config = await world.setConfig(environmentId, { A: '2' })
    assert.ok(config)
    await world.reaches(config, 'live')
    await world.reaches(await world.push(environmentId), 'live')
    const id = await rollBack('v1')
    await world.reaches(id, 'live')
    const now = await world.environment(environmentId)
    assert.equal(now.config, first.config)
    const rows = await world.db.query<{ artifact_id: string; config_id: string; rollback_of: number | null }>(
      'select artifact_id, config_id, rollback_of from releases where id = any($1) order by version',
      [[first.live, now.live]],
    )
    assert.equal(rows[1]?.artifact_id, rows[0]?.artifact_id)
    assert.equal(rows[1]?.config_id, rows[0]?.config_id)
    assert.equal(rows[1]?.rollback_of, 1)
    assert.deepEqual(await history(id), ['queued', 'releasing', 'rolling_out', 'watching', 'live'])
  })

  it('can keep the config', async () => {
    await world.reaches(await world.push(environmentId), 'live')
    await world.reaches(await world.push(environmentId), 'live')
    const config = await world.setConfig(environmentId, { A: '2' })
    assert.ok(config)
    await world.reaches(config, 'live')
    const before = await world.environment(environmentId)
    await world.reaches(await rollBack('v1', true), 'live')
    assert.equal((await world.environment(environmentId)).config, before.config)
  })

  it('that does not go live gives back the config that it replaced', async () => {
    await world.setConfig(environmentId, { A: '1' })
    await world.reaches(await world.push(environmentId), 'live')
    const changed = await world.setConfig(environmentId, { A: '2' })
    assert.ok(changed)
    await world.reaches(changed, 'live')
    const before = await world.environment(environmentId)
    world.levers.rollout = 'fails'
    await world.reaches(await rollBack(), 'failed')
    assert.deepEqual(await world.environment(environmentId), before)
  })

  it('without a name goes to the release before, twice to the one before that', async () => {
    for (let n = 0; n < 3; n++) await world.reaches(await world.push(environmentId), 'live')
    await world.reaches(await rollBack(), 'live')
    const second = await rollBack()
    await world.reaches(second, 'live')
    const [release] = await world.db.query<{ rollback_of: number }>('select rollback_of from releases where id = $1', [
      (await row(second)).release_id,
    ])
    assert.equal(release?.rollback_of, 1)
    await assert.rejects(rollBack(), { code: 'no_release_to_roll_back_to' })
  })

  it('takes the place of a build that runs', async () => {
    for (let n = 0; n < 2; n++) await world.reaches(await world.push(environmentId), 'live')
    world.levers.build = 'hangs'
    const push = await world.push(environmentId)
    await world.reaches(push, 'building')
    await world.reaches(await rollBack(), 'live')
    assert.equal((await row(push)).status, 'superseded')
    await until('its build has ended', () => world.building.size === 0)
  })

  it('needs somewhere to go', async () => {
    await assert.rejects(rollBack(), { code: 'no_release_to_roll_back_to' })
    await world.reaches(await world.push(environmentId), 'live')
    await assert.rejects(rollBack(), { code: 'no_release_to_roll_back_to' })
    await assert.rejects(rollBack('v9'), { code: 'no_release_to_roll_back_to' })
    await assert.rejects(rollBack('v1'), { code: 'already_live' })
  })
})
