import type { BuildStatus } from '@gantry/api'
import type { TeamScope } from '../access/index.ts'
import type { AppId, ArtifactId, BuildId, EnvironmentId, LayerId } from '../kernel/ids.ts'

export interface RetentionPolicy {
  /** Releases of each environment that can be rolled back to. */
  readonly releases: number
  /** Builds that failed, and as many that were cancelled, whose logs stay. */
  readonly failedBuilds: number
  /** What was used in this time stays, whatever names it: a release may be on its way. */
  readonly graceMs: number
}

export const defaultRetention: RetentionPolicy = { releases: 10, failedBuilds: 3, graceMs: 60 * 60_000 }

/** One release's use of an artifact. */
export interface ArtifactUse {
  readonly environmentId: EnvironmentId
  readonly version: number
  readonly artifactId: ArtifactId
  /** Runs, is live or desired, or an open deploy means to go to it: kept whatever its age. */
  readonly isPinned: boolean
}

/** Every release of an app. Answered by the room that has them. */
export type ArtifactUses = (scope: TeamScope, appId: AppId) => Promise<readonly ArtifactUse[]>

export interface RetentionFacts {
  readonly now: Date
  readonly uses: readonly ArtifactUse[]
  readonly artifacts: readonly {
    readonly id: ArtifactId
    readonly layers: readonly string[]
    readonly lastUsedAt: Date
  }[]
  readonly layers: readonly { readonly id: LayerId; readonly name: string; readonly lastUsedAt: Date }[]
  /** Builds that are over and have a log, newest first. */
  readonly builds: readonly {
    readonly id: BuildId
    readonly status: BuildStatus
    readonly artifactId?: ArtifactId
    readonly finishedAt: Date
  }[]
}

export interface Garbage {
  readonly artifacts: readonly ArtifactId[]
  readonly layers: readonly LayerId[]
  readonly logs: readonly BuildId[]
  /** What counts as unused: nothing used at this moment or later may go. */
  readonly unusedSince: Date
}

/** What may go. Everything that runs, can be rolled back to, or was used just now stays, with the layers that it links. */
export function decideRetention(facts: RetentionFacts, policy: RetentionPolicy): Garbage {
  const unusedSince = new Date(facts.now.getTime() - policy.graceMs)
  const wanted = wantedArtifacts(facts.uses, policy.releases)
  const kept = facts.artifacts.filter(({ id, lastUsedAt }) => wanted.has(id) || lastUsedAt >= unusedSince)
  const keptIds = new Set(kept.map(({ id }) => id))
  return {
    unusedSince,
    artifacts: facts.artifacts.flatMap(({ id }) => (keptIds.has(id) ? [] : [id])),
    layers: unusedLayers(facts.layers, new Set(kept.flatMap(({ layers }) => layers)), unusedSince),
    logs: oldLogs(facts.builds, keptIds, unusedSince, policy.failedBuilds),
  }
}

function wantedArtifacts(uses: readonly ArtifactUse[], releases: number): ReadonlySet<ArtifactId> {
  const wanted = new Set<ArtifactId>()
  for (const ofOne of Map.groupBy(uses, ({ environmentId }) => environmentId).values()) {
    const newest = ofOne.toSorted((a, b) => b.version - a.version).slice(0, releases)
    for (const { artifactId } of newest) wanted.add(artifactId)
  }
  for (const use of uses) if (use.isPinned) wanted.add(use.artifactId)
  return wanted
}

/** The newest of each name stays although nothing links it: the next build needs the layer of development dependencies. */
function unusedLayers(layers: RetentionFacts['layers'], linked: ReadonlySet<string>, unusedSince: Date): LayerId[] {
  const newest = new Set<LayerId>()
  for (const ofOne of Map.groupBy(layers, ({ name }) => name).values()) {
    const [first] = ofOne.toSorted((a, b) => b.lastUsedAt.getTime() - a.lastUsedAt.getTime())
    if (first) newest.add(first.id)
  }
  return layers.flatMap(({ id, lastUsedAt }) =>
    linked.has(id) || newest.has(id) || lastUsedAt >= unusedSince ? [] : [id],
  )
}

function oldLogs(
  builds: RetentionFacts['builds'],
  keptArtifacts: ReadonlySet<ArtifactId>,
  unusedSince: Date,
  failedBuilds: number,
): BuildId[] {
  const seen = new Map<BuildStatus, number>()
  return builds.flatMap(({ id, status, artifactId, finishedAt }) => {
    const rank = (seen.get(status) ?? 0) + 1
    seen.set(status, rank)
    if (finishedAt >= unusedSince) return []
    if (status === 'succeeded') return artifactId && keptArtifacts.has(artifactId) ? [] : [id]
    return rank <= failedBuilds ? [] : [id]
  })
}
