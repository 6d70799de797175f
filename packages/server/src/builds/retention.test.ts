import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { ArtifactId, BuildId, EnvironmentId, LayerId } from '../kernel/ids.ts'
import { decideRetention, type RetentionFacts } from './retention.ts'

const policy = { releases: 3, failedBuilds: 2, graceMs: 1000 }
const now = new Date(1_000_000)
const id = <T>(prefix: string, n: number) => `${prefix}-${n}` as T
/** Half of the times lie within the grace period. */
const time = fc.integer({ min: -2000, max: 0 }).map((ms) => new Date(now.getTime() + ms))
const few = fc.integer({ min: 0, max: 6 })

const facts: fc.Arbitrary<RetentionFacts> = fc.record({
  now: fc.constant(now),
  uses: fc.uniqueArray(
    fc.record({
      environmentId: few.map((n) => id<EnvironmentId>('env', n % 2)),
      version: fc.integer({ min: 1, max: 20 }),
      artifactId: few.map((n) => id<ArtifactId>('art', n)),
      isPinned: fc.boolean(),
    }),
    { selector: (use) => `${use.environmentId} ${use.version}` },
  ),
  artifacts: fc.uniqueArray(
    fc.record({
      id: few.map((n) => id<ArtifactId>('art', n)),
      layers: fc.array(few.map((n) => id<string>('lay', n))),
      lastUsedAt: time,
    }),
    { selector: (artifact) => artifact.id },
  ),
  layers: fc.uniqueArray(
    fc.record({
      id: few.map((n) => id<LayerId>('lay', n)),
      name: fc.constantFrom('node_modules', 'toolchain node'),
      lastUsedAt: time,
    }),
    { selector: (layer) => layer.id },
  ),
  builds: fc.uniqueArray(
    fc.record({
      id: fc.nat(50).map((n) => id<BuildId>('bld', n)),
      status: fc.constantFrom('failed' as const, 'cancelled' as const, 'succeeded' as const),
      artifactId: few.map((n) => id<ArtifactId>('art', n)),
      finishedAt: time,
    }),
    { selector: (build) => build.id },
  ),
})

describe('retention', () => {
  it('never lets go what is pinned, can be rolled back to, was used just now, or is linked by what stays', () => {
    fc.assert(
      fc.property(facts, (given) => {
        const garbage = decideRetention(given, policy)
        const gone = new Set<string>([...garbage.artifacts, ...garbage.layers, ...garbage.logs])
        for (const use of given.uses) {
          const newer = given.uses.filter(
            (other) => other.environmentId === use.environmentId && other.version > use.version,
          )
          if (use.isPinned || newer.length < policy.releases) assert.ok(!gone.has(use.artifactId))
        }
        for (const artifact of given.artifacts) {
          if (artifact.lastUsedAt >= garbage.unusedSince) assert.ok(!gone.has(artifact.id))
          if (!gone.has(artifact.id)) for (const layer of artifact.layers) assert.ok(!gone.has(layer))
        }
        for (const { id: layer, lastUsedAt } of given.layers)
          if (lastUsedAt >= garbage.unusedSince) assert.ok(!gone.has(layer))
      }),
    )
  })

  it('lets go everything else: what stays is named by something', () => {
    fc.assert(
      fc.property(facts, (given) => {
        const garbage = decideRetention(given, policy)
        const gone = new Set<string>([...garbage.artifacts, ...garbage.layers, ...garbage.logs])
        for (const artifact of given.artifacts) {
          const isUsed = given.uses.some((use) => use.artifactId === artifact.id)
          if (!isUsed && artifact.lastUsedAt < garbage.unusedSince) assert.ok(gone.has(artifact.id))
        }
        for (const status of ['failed', 'cancelled'] as const) {
          const old = given.builds.filter((build) => build.status === status && build.finishedAt < garbage.unusedSince)
          assert.ok(old.filter((build) => !gone.has(build.id)).length <= policy.failedBuilds)
        }
      }),
    )
  })

  it('keeps the newest layer of a name for the next build', () => {
    const old = new Date(0)
    const layers = [1, 2].map((n) => ({ id: id<LayerId>('lay', n), name: 'node_modules', lastUsedAt: new Date(n) }))
    const garbage = decideRetention({ now, uses: [], artifacts: [], layers, builds: [] }, policy)
    assert.deepEqual(garbage.layers, ['lay-1'])
    assert.ok(old < garbage.unusedSince)
  })
})
