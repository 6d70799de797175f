import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { systemScope } from '../access/index.ts'
import type { AppId, EnvironmentId, InstanceId, ReleaseId, TeamId } from '../kernel/ids.ts'
import { isInService, type ObservedInstance } from './instance.ts'
import { defaultPolicy, planSteps, type Step } from './plan-steps.ts'
import type { ProcessType, Workload } from './workload.ts'

const team = 'tea-1' as TeamId
const at = (ms: number) => new Date(Date.UTC(2026, 0, 1) + ms)

function aWorkload(
  overrides: Partial<Workload> = {},
  types: Record<string, Partial<ProcessType>> = { web: {} },
): Workload {
  const processTypes = Object.fromEntries(
    Object.entries(types).map(([name, type]) => [name, { command: 'run', overlap: true, ...type }]),
  )
  return {
    scope: systemScope(team),
    appId: 'app-1' as AppId,
    appName: 'shop',
    environmentId: 'env-1' as EnvironmentId,
    environmentName: 'production',
    hosts: ['shop.localhost'],
    runUid: 200_000,
    generation: 1,
    scale: {},
    desired: {
      id: 'rel-2' as ReleaseId,
      version: 2,
      artifact: { kind: 'slug', path: '/a', links: {} },
      runEnv: {},
      processTypes,
    },
    liveReleaseId: 'rel-2' as ReleaseId,
    ...overrides,
  }
}

function anInstance(overrides: Partial<Omit<ObservedInstance, 'id'>> & { id?: string } = {}): ObservedInstance {
  return {
    teamId: team,
    appId: 'app-1' as AppId,
    environmentId: 'env-1' as EnvironmentId,
    releaseId: 'rel-2' as ReleaseId,
    processType: 'web',
    slot: 0,
    generation: 1,
    status: 'healthy',
    presence: 'running',
    crashes: 0,
    failedChecks: overrides.status === 'unhealthy' ? defaultPolicy.failuresAllowed : 0,
    wasProbed: true,
    createdAt: at(0),
    healthyAt: at(50),
    ...overrides,
    id: (overrides.id ?? 'ins-1') as InstanceId,
  }
}

const old = { id: 'ins-old', releaseId: 'rel-1' as ReleaseId }
const ids = (...names: string[]) => names as InstanceId[]
const kinds = (steps: readonly Step[]) => steps.map((step) => step.kind)
const rollout = { liveReleaseId: 'rel-1' as ReleaseId }

describe('planning the steps of an environment', () => {
  test('a settled environment gets no step', () => {
    const plan = planSteps(aWorkload(), [anInstance()], defaultPolicy, at(1000))
    assert.deepEqual(plan, { steps: [], probe: [], settled: true })
  })

  test('a new release starts beside the old one', () => {
    const plan = planSteps(aWorkload(rollout), [anInstance(old)], defaultPolicy, at(1000))
    assert.deepEqual(plan.steps, [{ kind: 'start', processType: 'web', slot: 0, crashes: 0 }])
  })

  test('the route switches when every instance of the new release is ready, and only then', () => {
    const workload = aWorkload({ ...rollout, scale: { web: 2 } })
    const one = anInstance({ id: 'ins-a', status: 'starting' })
    const { healthyAt: _, ...unready } = anInstance({ id: 'ins-b', status: 'starting', slot: 1 })
    assert.deepEqual(planSteps(workload, [anInstance(old), one, unready], defaultPolicy, at(100)).steps, [])
    const two = anInstance({ id: 'ins-b', status: 'starting', slot: 1 })
    assert.deepEqual(planSteps(workload, [anInstance(old), one, two], defaultPolicy, at(100)).steps, [
      {
        kind: 'route',
        mode: 'serve',
        serve: ids('ins-a', 'ins-b'),
        drain: ids('ins-old'),
        goLive: 'rel-2' as ReleaseId,
      },
    ])
  })

  test('an instance of a rollout that ends by itself fails the rollout', () => {
    const ended = anInstance({ status: 'ended', presence: 'absent', crashes: 1, endedAt: at(100) })
    const plan = planSteps(aWorkload(rollout), [anInstance(old), ended], defaultPolicy, at(110))
    assert.deepEqual(plan.steps, [{ kind: 'fail_rollout', instanceId: 'ins-1' as InstanceId, cause: 'exited' }])
  })

  test('an instance of a rollout that is not ready in time fails the rollout, and nothing of it is started again', () => {
    const { healthyAt: _, ...late } = anInstance({ status: 'starting' })
    const plan = planSteps(aWorkload(rollout), [anInstance(old), late], defaultPolicy, at(60_001))
    assert.deepEqual(plan.steps, [{ kind: 'fail_rollout', instanceId: 'ins-1' as InstanceId, cause: 'not_ready' }])
    const failed = aWorkload({ ...rollout, failedReleaseId: 'rel-2' as ReleaseId })
    assert.deepEqual(kinds(planSteps(failed, [anInstance(old), late], defaultPolicy, at(60_002)).steps), ['stop'])
  })

  test('a crashed instance of the live release starts again after 1 s, doubling to 5 min', () => {
    const ended = (crashes: number) => anInstance({ status: 'ended', presence: 'absent', crashes, endedAt: at(0) })
    for (const [crashes, waitMs] of [
      [1, 1000],
      [2, 2000],
      [5, 16_000],
      [20, 300_000],
    ] as const) {
      const early = planSteps(aWorkload(), [ended(crashes)], defaultPolicy, at(waitMs - 1))
      assert.deepEqual([early.steps, early.lookAgainMs, early.settled], [[], 1, false])
      const due = planSteps(aWorkload(), [ended(crashes)], defaultPolicy, at(waitMs))
      assert.deepEqual(due.steps, [{ kind: 'start', processType: 'web', slot: 0, crashes }])
    }
  })

  test('unhealthy instances are replaced one at a time, the new one first', () => {
    const workload = aWorkload({ scale: { web: 2 } })
    const sick = [0, 1].map((slot) => anInstance({ id: `ins-${slot}`, slot, status: 'unhealthy' }))
    assert.deepEqual(planSteps(workload, sick, defaultPolicy, at(0)).steps, [
      { kind: 'start', processType: 'web', slot: 0, crashes: 0 },
    ])
    const successor = anInstance({ id: 'ins-new', status: 'starting' })
    assert.deepEqual(planSteps(workload, [...sick, successor], defaultPolicy, at(100)).steps, [
      { kind: 'route', mode: 'serve', serve: ids('ins-1', 'ins-new'), drain: ids('ins-0') },
    ])
  })

  test('a draining instance stops when no request is open to it, or at the limit', () => {
    const draining = { ...old, status: 'draining', drainingAt: at(0) } as const
    const busy = anInstance({ ...draining, openRequests: 1 })
    assert.deepEqual(planSteps(aWorkload(), [anInstance(), busy], defaultPolicy, at(29_000)).steps, [])
    assert.deepEqual(kinds(planSteps(aWorkload(), [anInstance(), busy], defaultPolicy, at(30_000)).steps), ['stop'])
    const idle = anInstance({ ...draining, openRequests: 0 })
    assert.deepEqual(planSteps(aWorkload(), [anInstance(), idle], defaultPolicy, at(1000)).steps, [
      { kind: 'stop', instanceId: 'ins-old' as InstanceId, reason: 'replaced', ifIdle: true },
    ])
  })

  test('at most two generations drain; the oldest is cut', () => {
    const draining = [1, 2, 3].map((n) =>
      anInstance({
        id: `ins-d${n}`,
        releaseId: `rel-old${n}` as ReleaseId,
        status: 'draining',
        drainingAt: at(n),
        openRequests: 5,
      }),
    )
    const plan = planSteps(aWorkload(), [anInstance(), ...draining], defaultPolicy, at(1000))
    assert.deepEqual(plan.steps, [{ kind: 'stop', instanceId: 'ins-d1' as InstanceId, reason: 'replaced' }])
  })

  test('a web type without overlap is held and stopped before its successor starts', () => {
    const workload = aWorkload(rollout, { web: { overlap: false } })
    assert.deepEqual(planSteps(workload, [anInstance(old)], defaultPolicy, at(0)).steps, [
      { kind: 'route', mode: 'hold', serve: [], drain: ids('ins-old') },
    ])
    const draining = anInstance({ ...old, status: 'draining', drainingAt: at(0), openRequests: 0 })
    assert.deepEqual(kinds(planSteps(workload, [draining], defaultPolicy, at(5000)).steps), ['stop'])
    assert.deepEqual(kinds(planSteps(workload, [], defaultPolicy, at(5000)).steps), ['start'])
  })

  test('scaling down drains the highest slots', () => {
    const instances = [0, 1, 2].map((slot) => anInstance({ id: `ins-${slot}`, slot }))
    assert.deepEqual(planSteps(aWorkload({ scale: { web: 1 } }), instances, defaultPolicy, at(0)).steps, [
      { kind: 'route', mode: 'serve', serve: ids('ins-0'), drain: ids('ins-1', 'ins-2') },
    ])
  })

  test('scaling down keeps what serves until the one that stays has come back from its crash', () => {
    const crashed = anInstance({
      id: 'ins-0',
      slot: 0,
      status: 'ended',
      endedAt: at(0),
      crashes: 1,
      presence: 'absent',
    })
    const [spare, back] = [
      anInstance({ id: 'ins-1', slot: 1 }),
      anInstance({ id: 'ins-2', slot: 0, status: 'starting' }),
    ]
    const workload = aWorkload({ scale: { web: 1 } })
    assert.deepEqual(planSteps(workload, [crashed, spare], defaultPolicy, at(10)).steps, [])
    assert.deepEqual(planSteps(workload, [crashed, spare, back], defaultPolicy, at(2000)).steps, [
      { kind: 'route', mode: 'serve', serve: ids('ins-2'), drain: ids('ins-1') },
    ])
    const nothing = aWorkload({ scale: { web: 0 } })
    assert.deepEqual(kinds(planSteps(nothing, [crashed, spare], defaultPolicy, at(10)).steps), ['route'])
  })

  test('a worker is ready when it has lived a second, and its predecessor stops without a drain', () => {
    const workload = aWorkload({ ...rollout, scale: { web: 0, worker: 1 } }, { web: {}, worker: {} })
    const { healthyAt: _, ...worker } = anInstance({ processType: 'worker', status: 'starting', startedAt: at(0) })
    assert.equal(planSteps(workload, [worker], defaultPolicy, at(400)).lookAgainMs, 600)
    assert.deepEqual(kinds(planSteps(workload, [worker], defaultPolicy, at(1000)).steps), ['mark_ready'])
    const retired = anInstance({ ...old, processType: 'worker', status: 'draining', drainingAt: at(1000) })
    const ready = { ...worker, healthyAt: at(1000), status: 'healthy' } as const
    assert.deepEqual(
      kinds(
        planSteps({ ...workload, liveReleaseId: 'rel-2' as ReleaseId }, [ready, retired], defaultPolicy, at(1001))
          .steps,
      ),
      ['stop'],
    )
  })

  test('an environment that should run nothing loses its route and its instances', () => {
    const { desired: _, ...nothing } = aWorkload()
    assert.deepEqual(planSteps(nothing, [anInstance()], defaultPolicy, at(0)).steps, [
      { kind: 'remove_route', drain: ids('ins-1') },
    ])
  })
})

/** A small world that obeys steps at once, for properties over whole histories. */
class World {
  now = 0
  next = 0
  releases = 2
  workload = aWorkload({ liveReleaseId: undefined as never })
  instances: ObservedInstance[] = []
  served = 0

  change(id: string, change: Partial<ObservedInstance>): void {
    this.instances = this.instances.map((i) => (i.id === id ? { ...i, ...change } : i))
  }

  apply(step: Step): void {
    if (step.kind === 'start') {
      const id = `ins-${this.next++}`
      const { healthyAt: _, ...fresh } = anInstance({
        ...step,
        id,
        status: 'starting',
        createdAt: at(this.now),
        startedAt: at(this.now),
      })
      this.instances.push({
        ...fresh,
        releaseId: this.workload.desired?.id as ReleaseId,
        generation: this.workload.generation,
      })
    } else if (step.kind === 'route') {
      for (const id of step.serve) this.change(id, { status: 'healthy' })
      for (const id of step.drain) this.change(id, { status: 'draining', drainingAt: at(this.now), openRequests: 0 })
      if (step.goLive) this.workload = { ...this.workload, liveReleaseId: step.goLive }
    } else if (step.kind === 'remove_route') {
      for (const id of step.drain) this.change(id, { status: 'draining', drainingAt: at(this.now), openRequests: 0 })
    } else if (step.kind === 'stop') {
      this.change(step.instanceId, { status: 'ended', presence: 'absent', endedAt: at(this.now), crashes: 0 })
    } else if (step.kind === 'record_end') {
      const ended = this.instances.find((i) => i.id === step.instanceId)
      this.change(step.instanceId, { status: 'ended', endedAt: at(this.now), crashes: (ended?.crashes ?? 0) + 1 })
    } else if (step.kind === 'forget') {
      this.change(step.instanceId, { presence: 'absent' })
    } else if (step.kind === 'judge_health') {
      const isIll = (i: ObservedInstance) => i.failedChecks >= defaultPolicy.failuresAllowed
      for (const id of step.instanceIds) {
        const judged = this.instances.find((i) => i.id === id)
        if (judged) this.change(id, { status: isIll(judged) ? 'unhealthy' : 'healthy' })
      }
    } else if (step.kind === 'mark_ready') this.change(step.instanceId, { healthyAt: at(this.now) })
    else if (step.kind === 'fail_rollout') {
      this.workload = { ...this.workload, failedReleaseId: this.workload.desired?.id as ReleaseId }
    }
  }

  inService(): ObservedInstance[] {
    return this.instances.filter(isInService)
  }
}

type Event = 'round' | 'ready' | 'crash' | 'deploy' | 'back' | 'restart' | 'up' | 'down' | 'sick' | 'well' | 'second'

function happen(world: World, event: Event): void {
  const starting = world.instances.find((i) => i.status === 'starting' && !i.healthyAt)
  if (event === 'second') world.now += 1000
  else if (event === 'ready' && starting) world.change(starting.id, { healthyAt: at(world.now) })
  else if (event === 'crash') {
    const victim = world.instances.find((i) => i.status !== 'ended' && i.presence === 'running')
    if (victim) world.change(victim.id, { presence: 'ended' })
  } else if (event === 'deploy' && world.workload.desired) {
    const desired = { ...world.workload.desired, id: `rel-${++world.releases}` as ReleaseId }
    world.workload = { ...world.workload, desired }
  } else if (event === 'back' && world.workload.desired && world.workload.liveReleaseId) {
    world.workload = { ...world.workload, desired: { ...world.workload.desired, id: world.workload.liveReleaseId } }
  } else if (event === 'restart') world.workload = { ...world.workload, generation: world.workload.generation + 1 }
  else if (event === 'up' || event === 'down') {
    const web = Math.max(0, Math.min(4, (world.workload.scale.web ?? 1) + (event === 'up' ? 1 : -1)))
    world.workload = { ...world.workload, scale: { web } }
  } else if (event === 'sick') {
    const victim = world.instances.find((i) => i.status === 'healthy')
    if (victim) world.change(victim.id, { failedChecks: defaultPolicy.failuresAllowed })
  } else if (event === 'well') {
    for (const i of world.instances) world.change(i.id, { failedChecks: 0 })
  }
}

const events = fc.array(
  fc.constantFrom<Event>(
    'round',
    'round',
    'round',
    'ready',
    'ready',
    'crash',
    'deploy',
    'back',
    'restart',
    'up',
    'down',
    'sick',
    'well',
    'second',
  ),
  { maxLength: 60 },
)

test('no plan takes the last serving instance away while the environment should serve', () => {
  fc.assert(
    fc.property(events, (history) => {
      const world = new World()
      for (const event of history) {
        happen(world, event)
        const before = world.inService().length
        const plan = planSteps(world.workload, world.instances, defaultPolicy, at(world.now))
        for (const step of plan.steps) world.apply(step)
        const wanted = world.workload.scale.web ?? 1
        const crashed = plan.steps.some((step) => step.kind === 'record_end')
        if (before > 0 && wanted > 0 && !crashed) assert.ok(world.inService().length > 0, JSON.stringify(plan.steps))
        for (const served of world.inService()) assert.ok(served.healthyAt, 'only what passed its check is in service')
      }
    }),
    { numRuns: 500 },
  )
})

test('every history settles with exactly the wanted instances, and a settled plan has no step', () => {
  fc.assert(
    fc.property(events, (history) => {
      const world = new World()
      for (const event of history) {
        happen(world, event)
        for (const step of planSteps(world.workload, world.instances, defaultPolicy, at(world.now)).steps)
          world.apply(step)
      }
      let { failedReleaseId: _, ...workload } = world.workload
      world.workload = workload
      for (let round = 0; round < 400; round++) {
        const plan = planSteps(world.workload, world.instances, defaultPolicy, at(world.now))
        if (plan.settled) break
        for (const step of plan.steps) world.apply(step)
        if (world.workload.failedReleaseId) {
          happen(world, 'deploy') // somebody pushes again
          ;({ failedReleaseId: _, ...workload } = world.workload)
          world.workload = workload
        }
        while (world.instances.some((i) => i.status === 'starting' && !i.healthyAt && i.presence === 'running'))
          happen(world, 'ready')
        world.now += 1000
      }
      const plan = planSteps(world.workload, world.instances, defaultPolicy, at(world.now))
      assert.deepEqual([plan.settled, plan.steps], [true, []])
      const running = world.instances.filter((i) => i.status !== 'ended')
      assert.equal(running.length, world.workload.scale.web ?? 1)
      for (const i of running) assert.deepEqual([i.releaseId, i.status], [world.workload.desired?.id, 'healthy'])
    }),
    { numRuns: 300 },
  )
})
