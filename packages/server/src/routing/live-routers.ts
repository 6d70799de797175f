import type { Clock } from '../kernel/clock.ts'
import type { RouterMetrics } from '../router/protocol.ts'
import type { RouterReports } from './router-reports.ts'
import { leaseSeconds } from './router-store.ts'

/**
 * What this process knows about the routers that talk to it. After a start of the control plane, routers of the table
 * count as alive for `graceMs` although their leases ended meanwhile: they kept serving and will be back at once.
 */
export interface LiveRouters {
  heard(routerId: string): void
  /** False: a full report is wanted. */
  reported(metrics: RouterMetrics): boolean
  left(routerId: string): void
  /** Whether the router may still send requests by an old table. */
  isAlive(routerId: string, isLeased: boolean): boolean
  openRequests(instanceId: string): number | undefined
  /** Forgets routers whose lease ended or whose process is gone; returns the ids. */
  sweep(): readonly string[]
}

export interface LiveRoutersDeps {
  readonly clock: Clock
  readonly reports: RouterReports
  /** Proof that a router's process has ended; without proof false. */
  readonly isGone: (routerId: string) => boolean
  readonly graceMs: number
}

export function createLiveRouters(deps: LiveRoutersDeps): LiveRouters {
  const { clock, reports, isGone } = deps
  const heardAt = new Map<string, number>()
  const startedAt = clock.monotonicMs()
  const isInGrace = () => clock.monotonicMs() - startedAt < deps.graceMs
  const forget = (routerId: string) => {
    heardAt.delete(routerId)
    reports.leave(routerId)
  }
  return {
    heard: (routerId) => void heardAt.set(routerId, clock.monotonicMs()),
    reported(metrics) {
      heardAt.set(metrics.routerId, clock.monotonicMs())
      return reports.report(metrics)
    },
    left: forget,
    isAlive: (routerId, isLeased) => (isLeased || isInGrace()) && !isGone(routerId),
    openRequests(instanceId) {
      if (isInGrace()) return undefined
      for (const routerId of heardAt.keys()) {
        if (!reports.has(routerId) && !isGone(routerId)) return undefined
      }
      return reports.openRequests(instanceId)
    },
    sweep() {
      const oldest = clock.monotonicMs() - leaseSeconds * 1000
      const ended = [...heardAt].filter(([id, at]) => at < oldest || isGone(id)).map(([id]) => id)
      for (const id of ended) forget(id)
      return ended
    },
  }
}
