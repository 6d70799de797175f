import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { BuildId, DeployId, ReleaseId } from '../kernel/ids.ts'
import { type DeployKind, type DeployRow, needsBuild } from './deploy.ts'
import {
  type DeployEvent,
  type DeployStatus,
  deployStatuses,
  deployTransitions,
  IllegalTransition,
  isOpen,
  transition,
} from './deploy-state.ts'

const now = new Date('2026-08-22T09:30:00.000Z')
const kinds: readonly DeployKind[] = ['push', 'upload', 'commit', 'config', 'rollback']

function aDeploy(kind: DeployKind, status: DeployStatus = 'queued'): DeployRow {
  const at = new Date('2026-08-22T09:29:00.000Z')
  const row = {
    id: 'dep-1',
    teamId: 'tea-1',
    appId: 'app-1',
    environmentId: 'env-1',
    createdBy: 'owner',
    keepConfig: false,
  }
  return { ...row, kind, status, createdAt: at, updatedAt: at } as DeployRow
}

const anEvent: fc.Arbitrary<DeployEvent> = fc.constantFrom<DeployEvent>(
  { name: 'hold', reason: 'Waits.' },
  { name: 'build', buildId: 'bld-1' as BuildId },
  { name: 'built' },
  { name: 'skip_build' },
  { name: 'release', releaseId: 'rel-2' as ReleaseId, releaseName: 'v2' },
  { name: 'roll_out', previousReleaseId: 'rel-1' as ReleaseId },
  { name: 'switch' },
  { name: 'settle', message: 'Live.' },
  { name: 'undo', reason: 'Too many errors.' },
  { name: 'fail', code: 'build_failed', message: 'It failed.' },
  { name: 'cancel' },
  { name: 'supersede', by: 'dep-2' as DeployId, reason: 'Newer.' },
)

/** The whole of a journey: every event is tried, illegal ones leave the deploy as it is. */
function travel(kind: DeployKind, events: readonly DeployEvent[]) {
  const steps = []
  let deploy = aDeploy(kind)
  for (const event of events) {
    try {
      const step = transition(deploy, event, now)
      steps.push({ before: deploy, event, ...step })
      deploy = step.next
    } catch (error) {
      assert.ok(error instanceof IllegalTransition)
    }
  }
  return { deploy, steps }
}

const journeys = fc.tuple(fc.constantFrom(...kinds), fc.array(anEvent, { maxLength: 60 }))

describe('the journey of a deploy', () => {
  it('never leaves a final status, and always can end', () => {
    for (const status of deployStatuses) {
      const exits = Object.values(deployTransitions[status])
      assert.equal(exits.length > 0, isOpen(status))
      if (isOpen(status)) assert.ok(exits.some((to) => !isOpen(to)))
    }
  })

  it('takes the way of its kind', () => {
    const wayOf = (kind: DeployKind, ...names: string[]) => travel(kind, names.map(named)).deploy.status
    const built = ['build', 'built', 'release', 'roll_out', 'switch', 'settle']
    assert.equal(wayOf('push', ...built), 'live')
    assert.equal(wayOf('config', 'skip_build', 'hold', 'release', 'roll_out', 'switch', 'settle'), 'live')
    assert.equal(wayOf('rollback', 'release', 'roll_out', 'switch', 'settle'), 'live')
    assert.equal(wayOf('rollback', 'build'), 'queued')
    assert.equal(wayOf('push', 'release'), 'queued')
    assert.equal(wayOf('push', 'skip_build'), 'queued')
    assert.equal(wayOf('config', 'build'), 'queued')
  })

  it('says what an event cannot do, and changes nothing', () => {
    const deploy = aDeploy('push', 'live')
    assert.throws(() => transition(deploy, { name: 'cancel' }, now), /dep-1 is live: cancel is not possible/)
  })

  it('keeps its promises whatever comes in whatever order', () => {
    fc.assert(
      fc.property(journeys, ([kind, events]) => {
        const { deploy, steps } = travel(kind, events)
        for (const { before, next, history } of steps) {
          assert.ok(isOpen(before.status))
          assert.equal(history.from, before.status)
          assert.equal(history.to, next.status)
          assert.ok(history.message.length > 0)
          assert.equal(next.finishedAt !== undefined, !isOpen(next.status))
          assert.equal(next.status === 'building' ? needsBuild(kind) : true, true)
        }
        if (['releasing', 'rolling_out', 'watching', 'live'].includes(deploy.status)) assert.ok(deploy.releaseId)
        if (['failed', 'cancelled', 'superseded'].includes(deploy.status)) assert.ok(deploy.errorCode)
        if (deploy.waitReason) assert.ok(['queued', 'waiting'].includes(deploy.status))
      }),
    )
  })

  it('gives the environment back whatever a deploy took, unless it went live', () => {
    fc.assert(
      fc.property(journeys, ([kind, events]) => {
        const { deploy, steps } = travel(kind, events)
        const kindsOf = steps.flatMap((step) => step.followUps.map((each) => each.kind))
        const taken = kindsOf.filter((each) => each === 'desire_release').length
        const switched = steps.some((step) => step.event.name === 'switch')
        const givenBack = kindsOf.filter((each) => each === 'desire_live_release').length
        assert.ok(givenBack <= taken)
        if (!isOpen(deploy.status)) {
          assert.equal(kindsOf.filter((each) => each === 'clean_up').length, 1)
          assert.equal(kindsOf.filter((each) => each === 'wake_waiting').length, 1)
          if (!switched) assert.equal(givenBack, taken)
        }
        if (switched) assert.ok(!['failed', 'cancelled', 'superseded'].includes(deploy.status))
      }),
    )
  })
})

function named(name: string): DeployEvent {
  const event = fc.sample(anEvent, 400).find((candidate) => candidate.name === name)
  assert.ok(event, name)
  return event
}
