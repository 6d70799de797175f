import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { ReleaseId } from '../kernel/ids.ts'
import type { DeployKind, DeployRow } from './deploy.ts'
import { type DeployStatus, deployStatuses, isOpen } from './deploy-state.ts'
import { blockerOf, displacedBy, hasSwitched } from './supersede-rules.ts'

const kinds: readonly DeployKind[] = ['push', 'upload', 'commit', 'config', 'rollback']

function deploy(n: number, kind: DeployKind, status: DeployStatus): DeployRow {
  return { id: `dep-${n}`, kind, status, releaseId: `rel-${n}` } as unknown as DeployRow
}

const aList = fc
  .array(fc.tuple(fc.constantFrom(...kinds), fc.constantFrom(...deployStatuses.filter(isOpen))), { maxLength: 6 })
  .map((parts) => parts.map(([kind, status], n) => deploy(n, kind, status)))
const live = 'rel-0' as ReleaseId

describe('a newer deploy', () => {
  it('takes the place of everything that has not switched', () => {
    const open = [
      deploy(0, 'push', 'rolling_out'),
      deploy(1, 'push', 'building'),
      deploy(2, 'config', 'waiting'),
      deploy(3, 'rollback', 'rolling_out'),
    ]
    const { superseded, finished } = displacedBy('push', open, live)
    assert.deepEqual(
      superseded.map((row) => row.id),
      ['dep-1', 'dep-2', 'dep-3'],
    )
    assert.deepEqual(
      finished.map((row) => row.id),
      ['dep-0'],
    )
  })

  it('of config takes the place of older changes of config only', () => {
    const open = [deploy(1, 'push', 'building'), deploy(2, 'config', 'waiting')]
    assert.deepEqual(
      displacedBy('config', open, live).superseded.map((row) => row.id),
      ['dep-2'],
    )
  })

  it('never ends what has switched, and leaves no two that would wait for each other', () => {
    fc.assert(
      fc.property(fc.constantFrom(...kinds), aList, (kind, open) => {
        const { superseded, finished } = displacedBy(kind, open, live)
        for (const row of superseded) assert.ok(!hasSwitched(row, live))
        for (const row of finished) assert.ok(hasSwitched(row, live))
        const left = open.filter((row) => !superseded.includes(row) && !finished.includes(row))
        if (kind !== 'config') assert.equal(left.length, 0)
        assert.ok(left.every((row) => row.kind !== 'config'))
      }),
    )
  })

  it('waits for what holds the environment', () => {
    const config = deploy(9, 'config', 'waiting')
    assert.equal(blockerOf(config, [config]), undefined)
    assert.equal(blockerOf(config, [deploy(1, 'push', 'queued'), config])?.id, 'dep-1')
    assert.equal(blockerOf(config, [deploy(1, 'push', 'live'), config]), undefined)
    const push = deploy(8, 'push', 'waiting')
    assert.equal(blockerOf(push, [push, deploy(1, 'config', 'waiting')]), undefined)
    assert.equal(blockerOf(push, [push, deploy(1, 'config', 'rolling_out')])?.id, 'dep-1')
  })
})
