import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Event, eventKinds, happen, type Types, World } from './plan-histories.fixture.ts'
import { at } from './plan-steps.fixture.ts'
import type { Plan } from './plan-steps.ts'
import { instanceCount } from './workload.ts'

const beside = { overlap: true }
const alone = { overlap: false }
const releases = fc.constantFrom<Types>(
  { web: beside },
  { web: alone },
  { web: beside, worker: beside, clock: alone },
  { web: alone, worker: beside },
)
const events = fc.array(
  fc.record<Event>({
    kind: fc.oneof(
      { weight: 2, arbitrary: fc.constantFrom(...eventKinds) },
      { weight: 2, arbitrary: fc.constant('ready') },
    ),
    pick: fc.nat(7),
  }),
  { maxLength: 40, size: 'max' },
)

/** Lets everything happen, with a look at the world before and after each plan. */
function play(types: Types, history: readonly Event[], look: (world: World, plan: Plan, before: World) => void): World {
  const world = new World(types)
  for (const event of history) {
    happen(world, event)
    const before = Object.assign(Object.create(World.prototype) as World, world, { instances: [...world.instances] })
    const plan = world.plan()
    for (const step of plan.steps) world.apply(step)
    look(world, plan, before)
  }
  return world
}

const runs = { numRuns: 2000 }

test('no plan takes the last well instance out of service while the environment should serve', () => {
  fc.assert(
    fc.property(releases, events, (types, history) => {
      play(types, history, (world, plan, before) => {
        const isFact = plan.steps.some((step) => step.kind === 'record_end' || step.kind === 'judge_health')
        if (isFact || instanceCount(world.workload, 'web') === 0) return
        const why = JSON.stringify(plan.steps)
        if (before.of('web', 'healthy').length > 0 && types.web?.overlap)
          assert.ok(world.of('web', 'healthy').length > 0, why)
        // without overlap there is a time in between, whose requests wait
        if (before.inService('web').length > 0)
          assert.ok(world.inService('web').length > 0 || world.mode === 'hold', why)
      })
    }),
    runs,
  )
})

test('only what passed its check and is there is put in service, and nothing is held that could be served', () => {
  fc.assert(
    fc.property(releases, events, (types, history) => {
      play(types, history, (world, plan, before) => {
        for (const i of world.inService()) {
          assert.ok(i.healthyAt, JSON.stringify(plan.steps))
          const isNew = before.of(i.processType, 'starting').some(({ id }) => id === i.id)
          if (isNew) assert.equal(i.presence, 'running', JSON.stringify(plan.steps))
        }
        if (world.mode === 'hold') assert.deepEqual(world.of('web', 'healthy'), [], JSON.stringify(plan.steps))
      })
    }),
    runs,
  )
})

test('a process type without overlap never runs beside its successor', () => {
  fc.assert(
    fc.property(releases, events, (types, history) => {
      play(types, history, (world, plan) => {
        for (const [type, { overlap }] of Object.entries(types)) {
          if (overlap) continue
          const lives = world.of(type).filter((i) => i.status !== 'ended')
          assert.equal(
            new Set(lives.map((i) => `${i.releaseId} ${i.generation}`)).size <= 1,
            true,
            JSON.stringify(plan),
          )
          assert.equal(new Set(lives.map((i) => i.slot)).size, lives.length, JSON.stringify(plan))
        }
      })
    }),
    runs,
  )
})

test('every history settles with exactly the wanted instances, and a settled plan has no step', () => {
  fc.assert(
    fc.property(releases, events, (types, history) => {
      const world = play(types, history, () => undefined)
      const forgive = () => {
        const { failedReleaseId: _, ...workload } = world.workload
        world.workload = workload
      }
      forgive()
      for (let round = 0; round < 600 && !world.plan().settled; round++) {
        for (const step of world.plan().steps) world.apply(step)
        if (world.workload.failedReleaseId) {
          happen(world, { kind: 'deploy', pick: 0 }) // somebody pushes again
          forgive()
        }
        for (const i of world.instances) {
          const isUp = i.status === 'starting' && !i.healthyAt && i.presence === 'running'
          if (isUp) world.change(i.id, { healthyAt: at(world.now) })
        }
        world.now += 1000
      }
      const { steps, settled } = world.plan()
      assert.deepEqual([settled, steps], [true, []])
      if (instanceCount(world.workload, 'web') > 0) assert.equal(world.mode, 'serve')
      const { desired } = world.workload
      for (const type of Object.keys(types)) {
        const lives = world.of(type).filter((i) => i.status !== 'ended')
        assert.equal(lives.length, instanceCount(world.workload, type))
        for (const i of lives) assert.deepEqual([i.releaseId, i.status], [desired?.id, 'healthy'])
      }
    }),
    { numRuns: 1000 },
  )
})
