import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import { createDeliveryWorld, type DeliveryWorld, until } from '../../test/support/delivery.ts'
import { systemScope } from '../access/index.ts'
import { Fenced } from '../engines/engine.ts'
import type { DeployId, EnvironmentId } from '../kernel/ids.ts'
import type { DeliveryRoom } from './delivery-deps.ts'
import { selectDeploy } from './deploy-store.ts'
import { type DeliveryFailpoint, deliveryFailpoints } from './failpoints.ts'
import { recordDeployEvents } from './record-deploy-event.ts'

let world: DeliveryWorld
let environmentId: EnvironmentId
let apps = 0

before(async () => {
  world = await createDeliveryWorld()
})
after(() => world.close())
beforeEach(async () => {
  healthy()
  environmentId = (await world.createApp(`app-${apps++}`)).environmentId
})

function healthy(): void {
  const processTypes = {
    web: { command: 'node server.js', overlap: true },
    release: { command: 'npm run migrate', overlap: true },
  }
  const releasePhase = { exit: { code: 0, afterMs: 0 } }
  const failpoint = () => undefined
  Object.assign(world.levers, {
    build: 'succeeds',
    rollout: 'succeeds',
    acknowledges: true,
    processTypes,
    releasePhase,
    failpoint,
  })
}

/** What has to happen for a failpoint to be reached. `begin` makes it so; the crash comes at some point of it. */
function storyOf(name: DeliveryFailpoint): () => Promise<void> {
  if (name.startsWith('deploy.failed')) {
    return async () => {
      world.levers.build = 'fails'
      await world.push(environmentId)
    }
  }
  if (name.startsWith('deploy.superseded') || name.startsWith('deploy.cancelled')) {
    return async () => {
      world.levers.build = 'hangs'
      const first = await world.push(environmentId)
      await until('the build runs', () => world.building.size === 1)
      if (name.startsWith('deploy.superseded')) {
        await world.push(environmentId)
      } else {
        const cancel = world.delivery.routes.find(({ endpoint }) => endpoint.operationId === 'cancel_deploy')
        const call = { scope: world.scope, params: { id: first }, headers: {}, baseUrl: 'http://localhost:4400' }
        await cancel?.handle(call as never)
      }
    }
  }
  return async () => void (await world.push(environmentId))
}

class Crash extends Error {}

/** Ends the control plane at the failpoint: the transaction is lost, nothing of this process goes on, another one starts. */
async function crashAt(name: DeliveryFailpoint): Promise<void> {
  let hasCrashed = false
  let running = world.start()
  world.levers.failpoint = (reached) => {
    // a process that has ended does nothing any more
    if (hasCrashed) throw new Crash(name)
    if (reached !== name) return
    hasCrashed = true
    throw new Crash(name)
  }
  try {
    await storyOf(name)().catch((error) => {
      if (!(error instanceof Crash)) throw error
    })
    await until(`${name} is reached`, () => hasCrashed)
  } finally {
    await running.stop()
    healthy()
  }
  // a process that starts takes over at once what the one before it had; here it has only thrown, and would be waited for
  await world.db.query('update work set run_at = now()', [])
  running = world.start()
  try {
    await until('everything has ended', async () => {
      const [open] = await world.db.query<{ count: number }>(
        `select (select count(*) from work) + (select count(*) from deploys where finished_at is null) as count`,
        [],
      )
      return open?.count === 0
    })
  } finally {
    await running.stop()
  }
}

describe('a crash of the control plane', () => {
  // nothing undoes a release by itself yet
  const names = deliveryFailpoints.filter((name) => !name.startsWith('deploy.rolled_back'))
  for (const name of names) {
    it(`at ${name} ends on exactly the old or exactly the new release`, async () => {
      const running = world.start()
      const first = await world.push(environmentId)
      await world.reaches(first, 'live')
      await running.stop()
      const old = (await world.environment(environmentId)).live

      await crashAt(name)

      const { desired, live } = await world.environment(environmentId)
      assert.equal(desired, live)
      const rows = await world.db.query<{ status: string; release_id: string | null }>(
        'select status, release_id from deploys where environment_id = $1 order by created_at, id',
        [environmentId],
      )
      const liveOnes = rows.filter(({ status }) => status === 'live').map(({ release_id }) => release_id)
      assert.ok(live === old || liveOnes.includes(live), JSON.stringify(rows))
      if (liveOnes.length === 1) assert.equal(live, old)
      assert.equal(world.building.size, 0)
      assert.deepEqual(await world.engine.observe('all', AbortSignal.timeout(5000)), [])
      const builds = await world.db.query(`select id from builds where environment_id = $1 and finished_at is null`, [
        environmentId,
      ])
      assert.deepEqual(builds, [])
    })
  }
})

describe('a control plane that has been paused', () => {
  it('can record nothing once another one has taken over', async () => {
    world.levers.build = 'hangs'
    const id = await world.push(environmentId)
    const running = world.start()
    try {
      await world.reaches(id, 'building')
      const deploy = await selectDeploy(world.db, world.scope, id)
      assert.ok(deploy)
      const [work] = await world.db.query<{ fence: number }>('select fence from work where subject = $1', [id])
      assert.ok(work)
      const job = { scope: systemScope(deploy.teamId), deploy, signal: AbortSignal.timeout(10_000) }
      const room = { db: world.db } as DeliveryRoom
      const fail = async () => [{ name: 'fail', code: 'build_failed', message: 'Stale.' }] as const
      await assert.rejects(recordDeployEvents(room, { ...job, fence: work.fence - 1 }, fail), Fenced)
      assert.equal((await selectDeploy(world.db, world.scope, id))?.status, 'building')
      world.levers.build = 'succeeds'
      await world.reaches(id, 'live')
    } finally {
      await running.stop()
    }
  })
})

describe('random lives of an environment', () => {
  it('always come to rest on a release that was delivered, with nothing left over', async () => {
    let running = world.start()
    const ids: DeployId[] = []
    const random = randomFrom(Number(process.env.GANTRY_TEST_SEED ?? Date.now() % 1_000_000))
    const pick = <T>(choices: readonly T[]): T => choices[Math.floor(random.next() * choices.length)] as T
    const said: string[] = [`GANTRY_TEST_SEED=${random.seed}`]
    try {
      for (let step = 0; step < 60; step++) {
        world.levers.build = pick(['succeeds', 'succeeds', 'fails', 'hangs'])
        world.levers.rollout = pick(['succeeds', 'succeeds', 'fails', 'hangs'])
        const action = pick(['push', 'push', 'config', 'cancel', 'restart', 'breathe'])
        said.push(`${action} ${world.levers.build} ${world.levers.rollout}`)
        if (action === 'push') ids.push(await world.push(environmentId))
        if (action === 'config') {
          const id = await world.setConfig(environmentId, { N: String(step) })
          if (id) ids.push(id)
        }
        if (action === 'cancel' && ids.length > 0) await cancelQuietly(pick(ids))
        if (action === 'restart') {
          await running.stop()
          running = world.start()
        }
        if (action === 'breathe') await new Promise((resolve) => setTimeout(resolve, 30))
        const [open] = await world.db.query<{ config: number; other: number }>(
          `select count(*) filter (where kind = 'config') as config, count(*) filter (where kind <> 'config') as other
           from deploys where environment_id = $1 and finished_at is null`,
          [environmentId],
        )
        assert.ok(open && open.config <= 1 && open.other <= 1, said.join('\n'))
      }
      healthy()
      await until('everything has ended', async () => {
        const rows = await world.db.query('select 1 from deploys where environment_id = $1 and finished_at is null', [
          environmentId,
        ])
        return rows.length === 0
      })
      const { desired, live } = await world.environment(environmentId)
      assert.equal(desired, live, said.join('\n'))
      const delivered = await world.db.query('select 1 from deploys where release_id = $1 and status = $2', [
        live,
        'live',
      ])
      assert.ok(live === null || delivered.length > 0, said.join('\n'))
      await until('no build is left', () => world.building.size === 0)
    } finally {
      await running.stop()
    }
  })
})

async function cancelQuietly(id: DeployId): Promise<void> {
  const cancel = world.delivery.routes.find(({ endpoint }) => endpoint.operationId === 'cancel_deploy')
  const call = { scope: world.scope, params: { id }, headers: {}, baseUrl: 'http://localhost:4400' }
  await cancel?.handle(call as never).catch((error: { code?: string }) => assert.equal(error.code, 'invalid_state'))
}

/** The same numbers for the same seed (mulberry32). */
function randomFrom(seed: number): { seed: number; next: () => number } {
  let state = seed
  const next = () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  return { seed, next }
}
