import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { InstanceId, ReleaseId } from '../kernel/ids.ts'
import { anInstance, at, aWorkload, ids, kinds, old, rollout } from './plan-steps.fixture.ts'
import { defaultPolicy, planSteps } from './plan-steps.ts'

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

  test('what is live is started again when it crashes while another release rolls out, or has failed to', () => {
    const { desired } = aWorkload()
    const live = desired && { ...desired, id: old.releaseId }
    const crashed = anInstance({ ...old, status: 'ended', presence: 'absent', crashes: 1, endedAt: at(0) })
    const { healthyAt: _, ...booting } = anInstance({ status: 'starting', createdAt: at(900) })
    const start = { kind: 'start', processType: 'web', slot: 0, crashes: 1, releaseId: old.releaseId }
    for (const failed of [{}, { failedReleaseId: 'rel-2' as ReleaseId }]) {
      const workload = aWorkload({ ...rollout, ...failed, ...(live && { live }) })
      const instances = 'failedReleaseId' in failed ? [crashed] : [crashed, booting]
      assert.equal(planSteps(workload, instances, defaultPolicy, at(990)).lookAgainMs, 10)
      assert.deepEqual(planSteps(workload, instances, defaultPolicy, at(1000)).steps, [start])
      const back = anInstance({ ...old, id: 'ins-back', status: 'starting', createdAt: at(1000) })
      assert.deepEqual(planSteps(workload, [...instances, back], defaultPolicy, at(1100)).steps, [
        { kind: 'route', mode: 'serve', serve: ids('ins-back'), drain: [] },
      ])
    }
  })

  test('a process type may have the name of something that every object has', () => {
    const workload = aWorkload(rollout, { web: {}, constructor: {}, toString: {} })
    const plan = planSteps(workload, [anInstance({ status: 'starting' })], defaultPolicy, at(100))
    assert.deepEqual(kinds(plan.steps), ['route'])
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

  test('scaling down keeps what is well until the one that stays, which is not, has been replaced', () => {
    const sick = anInstance({ id: 'ins-0', slot: 0, status: 'unhealthy' })
    const spare = anInstance({ id: 'ins-1', slot: 1 })
    const back = anInstance({ id: 'ins-2', slot: 0, status: 'starting', createdAt: at(10) })
    const workload = aWorkload({ scale: { web: 1 } })
    assert.deepEqual(kinds(planSteps(workload, [sick, spare], defaultPolicy, at(10)).steps), ['start'])
    assert.deepEqual(planSteps(workload, [sick, spare, back], defaultPolicy, at(2000)).steps, [
      { kind: 'route', mode: 'serve', serve: ids('ins-2'), drain: ids('ins-0', 'ins-1') },
    ])
  })

  test('a type without overlap goes on until everything else of the new release is ready', () => {
    const workload = aWorkload({ ...rollout, scale: { clock: 1 } }, { web: {}, clock: { overlap: false } })
    const before = [anInstance(old), anInstance({ ...old, id: 'ins-tick', processType: 'clock' })]
    const { healthyAt: _, ...booting } = anInstance({ status: 'starting' })
    assert.deepEqual(planSteps(workload, [...before, booting], defaultPolicy, at(100)).steps, [])
    assert.deepEqual(
      planSteps(workload, [...before, { ...booting, healthyAt: at(50) }], defaultPolicy, at(100)).steps,
      [{ kind: 'route', mode: 'serve', serve: ids('ins-old'), drain: ids('ins-tick') }],
    )
  })

  test('what was ready and is gone from the engine is started again, and not put in service', () => {
    const workload = aWorkload({ ...rollout, scale: { web: 0, worker: 1 } }, { web: {}, worker: {} })
    const gone = anInstance({ processType: 'worker', status: 'starting', presence: 'absent' })
    assert.deepEqual(planSteps(workload, [gone], defaultPolicy, at(100)).steps, [
      { kind: 'start_again', instanceId: 'ins-1' as InstanceId },
    ])
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
