import type { ReleaseMetrics, RouterMetrics } from '../router/protocol.ts'

/** The last report of each router, and the sums of those that left, so that a hand-over never lets a counter fall. */
export interface RouterReports {
  report(metrics: RouterMetrics): void
  leave(routerId: string): void
  has(routerId: string): boolean
  openRequests(instanceId: string): number
  merged(): RouterMetrics
}

/** `keepDeparted`: releases of departed routers that are remembered; the oldest go first. */
export function createRouterReports(keepDeparted = 10_000): RouterReports {
  const last = new Map<string, RouterMetrics>()
  const departed = new Map<string, ReleaseMetrics>()
  return {
    report: (metrics) => void last.set(metrics.routerId, metrics),
    leave(routerId) {
      for (const release of last.get(routerId)?.releases ?? []) {
        const closed = { ...release, openRequests: 0, openUpgrades: 0, openByInstance: {} }
        const sum = addReleases(departed.get(release.releaseId), closed)
        departed.delete(release.releaseId)
        departed.set(release.releaseId, sum)
      }
      last.delete(routerId)
      for (const id of departed.keys()) {
        if (departed.size <= keepDeparted) break
        departed.delete(id)
      }
    },
    has: (routerId) => last.has(routerId),
    openRequests(instanceId) {
      let open = 0
      for (const { releases } of last.values()) {
        for (const release of releases) open += release.openByInstance[instanceId] ?? 0
      }
      return open
    },
    merged() {
      const sums = new Map(departed)
      for (const { releases } of last.values()) {
        for (const release of releases) sums.set(release.releaseId, addReleases(sums.get(release.releaseId), release))
      }
      return { routerId: 'all', releases: [...sums.values()] }
    },
  }
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
