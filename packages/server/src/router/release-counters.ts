import type { ReleaseMetrics } from './protocol.ts'

/** Upper bounds in ms; the last bucket of a report is the total. */
export const durationBoundsMs = [1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000]

/** Rate, errors and duration of one release in one router. */
export class ReleaseCounters {
  readonly environmentId: string
  readonly releaseId: string
  requests = 0
  openRequests = 0
  openUpgrades = 0
  /** When it was last in the table or had an open request, in ms of the router's clock. */
  lastUsedMs = 0
  readonly #responses = new Map<string, number>()
  /** Not cumulative; one more than the bounds. */
  readonly #durations: number[] = new Array(durationBoundsMs.length + 1).fill(0)
  #durationSumMs = 0

  constructor(environmentId: string, releaseId: string) {
    this.environmentId = environmentId
    this.releaseId = releaseId
  }

  /** Counts a request that was answered: `2xx` by the app, `router_502` by the router. */
  answered(responseClass: string, durationMs: number): void {
    this.requests++
    this.#responses.set(responseClass, (this.#responses.get(responseClass) ?? 0) + 1)
    this.#durationSumMs += durationMs
    let bucket = 0
    while (bucket < durationBoundsMs.length && durationMs > (durationBoundsMs[bucket] ?? 0)) bucket++
    this.#durations[bucket] = (this.#durations[bucket] ?? 0) + 1
  }

  report(openByInstance: Readonly<Record<string, number>>): ReleaseMetrics {
    let sum = 0
    const durationBuckets = this.#durations.map((count) => {
      sum += count
      return sum
    })
    const { environmentId, releaseId, requests, openRequests, openUpgrades } = this
    return {
      environmentId,
      releaseId,
      requests,
      responses: Object.fromEntries(this.#responses),
      durationBuckets,
      durationSumMs: this.#durationSumMs,
      openRequests,
      openUpgrades,
      openByInstance,
    }
  }
}
