import assert from 'node:assert/strict'
import { beforeEach, describe, it } from 'node:test'
import { until } from '../../test/support/delivery.ts'
import {
  beginDeliveryStories,
  cancel,
  environmentId,
  retry,
  row,
  send,
  world,
} from '../../test/support/delivery-story.ts'
import type { DeployId } from '../kernel/ids.ts'

beginDeliveryStories()

describe('a release phase', () => {
  beforeEach(() => {
    world.levers.processTypes = {
      web: { command: 'node server.js', overlap: true },
      release: { command: 'npm run migrate', overlap: true },
    }
  })

  it('runs once before the release rolls out, and leaves nothing in the engine', async () => {
    world.levers.releasePhase = { exit: { code: 0, afterMs: 0 } }
    const id = await world.push(environmentId)
    await world.reaches(id, 'live')
    await until('it is forgotten', async () => {
      return (await world.engine.observe('all', AbortSignal.timeout(5000))).length === 0
    })
  })

  it('that fails, fails the deploy before anything has changed', async () => {
    world.levers.releasePhase = { exit: { code: 3, afterMs: 0 } }
    const id = await world.push(environmentId)
    await world.reaches(id, 'failed')
    const { error_code, error_message } = await row(id)
    assert.equal(error_code, 'release_phase_failed')
    assert.match(error_message ?? '', /exit code 3/)
    assert.equal((await world.environment(environmentId)).desired, null)
  })

  it('that nobody saw the end of is not run again', async () => {
    const id = await world.push(environmentId)
    const task = `tsk-${id.slice(4)}`
    await until('it runs', () => world.engine.specOf(task) !== undefined)
    world.engine.lose(task)
    await world.reaches(id, 'failed')
    assert.equal((await row(id)).error_code, 'release_phase_interrupted')
  })

  it('does not begin while that of a superseded deploy is still being stopped', async () => {
    const [first, second] = [await begunPush(), await pushWhileStopsHang()]
    await until('it waits', async () => {
      const sql = `select 1 from work where subject = $1 and lease_until is null`
      return (await row(second)).status === 'releasing' && (await world.db.query(sql, [second])).length > 0
    })
    assert.equal(world.engine.specOf(taskOf(second)), undefined)
    world.engine.levers.hangOnStop = false
    await until('it runs', () => world.engine.specOf(taskOf(second)) !== undefined)
    const [before] = await world.engine.observe([taskOf(first)], AbortSignal.timeout(5000))
    assert.ok(before === undefined || before.state === 'ended')
    await cancel(second)
    await world.reaches(second, 'cancelled')
  })

  it('that waits for another one can be cancelled', async () => {
    await begunPush()
    const second = await pushWhileStopsHang()
    await world.reaches(second, 'releasing')
    await cancel(second)
    world.engine.levers.hangOnStop = false
    await world.reaches(second, 'cancelled')
  })

  it('is stopped when the deploy is cancelled, or superseded', async () => {
    const first = await world.push(environmentId)
    await until('it runs', () => world.engine.specOf(`tsk-${first.slice(4)}`) !== undefined)
    await cancel(first)
    await world.reaches(first, 'cancelled')
    const second = await world.push(environmentId)
    await until('it runs', () => world.engine.specOf(`tsk-${second.slice(4)}`) !== undefined)
    world.levers.processTypes = { web: { command: 'node server.js', overlap: true } }
    await world.reaches(await world.push(environmentId), 'live')
    assert.equal((await row(second)).status, 'superseded')
    await until('nothing is left in the engine', async () => {
      return (await world.engine.observe('all', AbortSignal.timeout(5000))).length === 0
    })
  })
})

const taskOf = (id: DeployId) => `tsk-${id.slice(4)}`

/** A push whose release phase runs. */
async function begunPush(): Promise<DeployId> {
  const id = await world.push(environmentId)
  await until('it runs', () => world.engine.specOf(taskOf(id)) !== undefined)
  return id
}

async function pushWhileStopsHang(): Promise<DeployId> {
  world.engine.levers.hangOnStop = true
  return await world.push(environmentId)
}

describe('cancelling', () => {
  it('ends a build and leaves nothing of it', async () => {
    world.levers.build = 'hangs'
    const id = await world.push(environmentId)
    await until('the build runs', () => world.building.size === 1)
    await cancel(id)
    await world.reaches(id, 'cancelled')
    assert.equal(world.building.size, 0)
    await assert.rejects(cancel(id), { code: 'invalid_state' })
  })

  it('ends a rollout at once and gives the environment back', async () => {
    world.levers.rollout = 'hangs'
    const id = await world.push(environmentId)
    await world.reaches(id, 'rolling_out')
    await cancel(id)
    assert.equal((await row(id)).status, 'cancelled')
    assert.equal((await world.environment(environmentId)).desired, null)
  })

  it('of what is live is refused', async () => {
    const id = await world.push(environmentId)
    await world.reaches(id, 'live')
    await assert.rejects(cancel(id), { code: 'invalid_state' })
    await assert.rejects(retry(id), { code: 'invalid_state' })
    await assert.rejects(cancel('dep-0' as DeployId), { code: 'not_found' })
  })

  it('and retrying begins anew', async () => {
    world.levers.build = 'hangs'
    const id = await world.push(environmentId)
    await until('the build runs', () => world.building.size === 1)
    await assert.rejects(retry(id), { code: 'invalid_state' })
    await cancel(id)
    await world.reaches(id, 'cancelled')
    world.levers.build = 'succeeds'
    const again = await retry(id)
    assert.notEqual(again, id)
    await world.reaches(again, 'live')
  })
})

describe('deleting an app', () => {
  it('in the middle of a deploy ends it and leaves no row', async () => {
    const { app, environmentId: own } = await world.createApp('doomed')
    await world.reaches(await world.push(own), 'live')
    await world.setConfig(own, { A: '1' })
    world.levers.build = 'hangs'
    const deploy = await world.push(own)
    await until('the build runs', () => world.building.size === 1)
    await send('delete_app', 'doomed')
    await until(
      'its rows are gone',
      async () => (await world.db.query('select 1 from apps where id = $1', [app.id])).length === 0,
    )
    assert.equal(world.building.size, 0)
    assert.deepEqual(await world.db.query('select 1 from deploys where id = $1', [deploy]), [])
    assert.deepEqual(await world.db.query('select 1 from repositories where id = $1', [app.repositoryId]), [])
    assert.ok(world.removed.includes(app.id) && world.removed.includes(app.repositoryId))
    world.levers.build = 'succeeds'
    await world.createApp('doomed')
  })
})
