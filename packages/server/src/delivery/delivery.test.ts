import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, describe, it } from 'node:test'
import { createDeliveryWorld, type DeliveryWorld, type Running, until } from '../../test/support/delivery.ts'
import type { DeployId, EnvironmentId } from '../kernel/ids.ts'

let world: DeliveryWorld
let running: Running
let environmentId: EnvironmentId
let apps = 0

before(async () => {
  world = await createDeliveryWorld()
})
after(() => world.close())
beforeEach(async () => {
  Object.assign(world.levers, {
    build: 'succeeds',
    processTypes: { web: { command: 'node server.js', overlap: true } },
    rollout: 'succeeds',
    releasePhase: {},
    acknowledges: true,
    failpoint: () => undefined,
  })
  environmentId = (await world.createApp(`app-${apps++}`)).environmentId
  running = world.start()
})
afterEach(() => running.stop())

interface Row {
  status: string
  error_code: string | null
  error_message: string | null
  wait_reason: string | null
  release_id: string | null
}

async function row(id: DeployId): Promise<Row> {
  const [found] = await world.db.query<Row>('select * from deploys where id = $1', [id])
  assert.ok(found)
  return found
}

async function history(id: DeployId): Promise<string[]> {
  const rows = await world.db.query<{ to_status: string }>(
    'select to_status from deploy_events where deploy_id = $1 order by id',
    [id],
  )
  return rows.map((event) => event.to_status)
}

async function version(releaseId: string | null): Promise<number | undefined> {
  const [found] = await world.db.query<{ version: number }>('select version from releases where id = $1', [releaseId])
  return found?.version
}

async function send(operationId: string, id: string, body?: object): Promise<{ id: DeployId }> {
  const routes = [...world.delivery.routes, ...world.apps.routes]
  const route = routes.find(({ endpoint }) => endpoint.operationId === operationId)
  assert.ok(route, operationId)
  const principal = { personName: 'owner' }
  const rest = { params: { id }, query: {}, headers: {}, baseUrl: 'http://localhost:4400' }
  return (await route.handle({ ...rest, principal, body, scope: world.scope } as never)) as { id: DeployId }
}
const cancel = (id: DeployId) => send('cancel_deploy', id)
const retry = async (id: DeployId) => (await send('retry_deploy', id)).id
async function rollBack(to?: string, keepConfig = false): Promise<DeployId> {
  const target = to && { rollback_to: { id: to } }
  const body = { environment: { id: environmentId }, kind: 'rollback', keep_config: keepConfig, ...target }
  return (await send('create_deploy', '', body)).id
}

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
    await until('the config is live', async () => {
      const { live, config: current } = await world.environment(environmentId)
      const [release] = await world.db.query<{ config_id: string | null }>(
        'select config_id from releases where id = $1',
        [live],
      )
      return release?.config_id === current
    })
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
