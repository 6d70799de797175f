import type { ReleaseMetrics, RouterMetrics } from '../router/protocol.ts'

/** What routers have counted, and the sums of those that left, so that a hand-over never lets a counter fall. */
export interface RouterReports {
  /** False: a partial report of a router of which nothing is known; it has to send a full one. */
  report(metrics: RouterMetrics): boolean
  leave(routerId: string): void
  has(routerId: string): boolean
  openRequests(instanceId: string): number
  merged(): RouterMetrics
}

interface RouterCounts {
  readonly releases: Map<string, ReleaseMetrics>
  /** By instance, over all releases. */
  readonly open: Map<string, number>
}

/** `keepDeparted`: releases of departed routers that are remembered; the oldest go first. */
export function createRouterReports(keepDeparted = 10_000): RouterReports {
  const routers = new Map<string, RouterCounts>()
  const departed = new Map<string, ReleaseMetrics>()
  const depart = (release: ReleaseMetrics) => {
    const closed = { ...release, openRequests: 0, openUpgrades: 0, openByInstance: {} }
    const sum = addReleases(departed.get(release.releaseId), closed)
    departed.delete(release.releaseId)
    departed.set(release.releaseId, sum)
    const [oldest] = departed.keys()
    if (departed.size > keepDeparted && oldest !== undefined) departed.delete(oldest)
  }
  return {
    report({ routerId, full, releases }) {
      const known = routers.get(routerId)
      if (!full && !known) return false
      const counts = full || !known ? { releases: new Map(), open: new Map() } : known
      for (const release of releases) setRelease(counts, release)
      routers.set(routerId, counts)
      if (counts === known || !known) return true
      for (const [id, release] of known.releases) if (!counts.releases.has(id)) depart(release)
      return true
    },
    leave(routerId) {
      for (const release of routers.get(routerId)?.releases.values() ?? []) depart(release)
      routers.delete(routerId)
    },
    has: (routerId) => routers.has(routerId),
    openRequests: (instanceId) => [...routers.values()].reduce((sum, { open }) => sum + (open.get(instanceId) ?? 0), 0),
    merged() {
      const sums = new Map(departed)
      for (const { releases } of routers.values()) {
        for (const [id, release] of releases) sums.set(id, addReleases(sums.get(id), release))
      }
      return { routerId: 'all', full: true, releases: [...sums.values()] }
    },
  }
}

function setRelease({ releases, open }: RouterCounts, release: ReleaseMetrics): void {
  const before = releases.get(release.releaseId)
  releases.set(release.releaseId, release)
  for (const [instanceId, count] of Object.entries(before?.openByInstance ?? {})) addOpen(open, instanceId, -count)
  for (const [instanceId, count] of Object.entries(release.openByInstance)) addOpen(open, instanceId, count)
}

function addOpen(open: Map<string, number>, instanceId: string, count: number): void {
  const sum = (open.get(instanceId) ?? 0) + count
  if (sum === 0) open.delete(instanceId)
  else open.set(instanceId, sum)
}

function addReleases(a: ReleaseMetrics | undefined, b: ReleaseMetrics): ReleaseMetrics {
  if (!a) return b
  return {
    environmentId: b.environmentId,
    releaseId: b.releaseId,
    requests: a.requests + b.requests,
    responses: addCounts(a.responses, b.responses),
    durationBuckets: b.durationBuckets.map((count, i) => count + (a.durationBuckets[i] ?? 0)),
    durationSumMs: a.durationSumMs + b.durationSumMs,
    openRequests: a.openRequests + b.openRequests,
    openUpgrades: a.openUpgrades + b.openUpgrades,
    openByInstance: addCounts(a.openByInstance, b.openByInstance),
  }
}

type Counts = Readonly<Record<string, number>>

function addCounts(a: Counts, b: Counts): Counts {
  const sum: Record<string, number> = { ...a }
  for (const [name, count] of Object.entries(b)) sum[name] = (sum[name] ?? 0) + count
  return sum
}
