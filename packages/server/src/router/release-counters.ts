import type { ReleaseMetrics } from './protocol.ts'

/** Upper bounds in ms; the last bucket of a report is the total. */
const durationBoundsMs = [1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000]

/** An instance with the number of requests that are open to it. */
export interface OpenTarget {
  readonly instanceId: string
  readonly open: number
}

/** Rate, errors and duration of one release in one router. */
export class ReleaseCounters {
  readonly environmentId: string
  readonly releaseId: string
  /** In the table, or with requests still open. */
  readonly targets = new Set<OpenTarget>()
  #requests = 0
  #openRequests = 0
  #openUpgrades = 0
  readonly #responses = new Map<string, number>()
  /** Not cumulative; one more than the bounds. */
  readonly #durations: number[] = new Array(durationBoundsMs.length + 1).fill(0)
  #durationSumMs = 0
  readonly #changed: Set<ReleaseCounters>

  /** `changed`: whoever changes puts itself in, so that a report need not look at all. */
  constructor(environmentId: string, releaseId: string, changed: Set<ReleaseCounters>) {
    this.environmentId = environmentId
    this.releaseId = releaseId
    this.#changed = changed
  }

  get isOpen(): boolean {
    return this.#openRequests + this.#openUpgrades > 0
  }

  get isUsed(): boolean {
    return this.isOpen || this.#requests > 0
  }

  touch(): void {
    this.#changed.add(this)
  }

  openRequests(change: 1 | -1): void {
    this.#openRequests += change
    this.touch()
  }

  openUpgrades(change: 1 | -1): void {
    this.#openUpgrades += change
    this.touch()
  }

  /** Counts a request that was answered: `2xx` by the app, `router_502` by the router. */
  answered(responseClass: string, durationMs: number): void {
    this.#requests++
    this.#responses.set(responseClass, (this.#responses.get(responseClass) ?? 0) + 1)
    this.#durationSumMs += durationMs
    let bucket = 0
    while (bucket < durationBoundsMs.length && durationMs > (durationBoundsMs[bucket] ?? 0)) bucket++
    this.#durations[bucket] = (this.#durations[bucket] ?? 0) + 1
    this.touch()
  }

  report(): ReleaseMetrics {
    let sum = 0
    const durationBuckets = this.#durations.map((count) => {
      sum += count
      return sum
    })
    const openByInstance: Record<string, number> = {}
    for (const { instanceId, open } of this.targets)
      openByInstance[instanceId] = (openByInstance[instanceId] ?? 0) + open
    return {
      environmentId: this.environmentId,
      releaseId: this.releaseId,
      requests: this.#requests,
      responses: Object.fromEntries(this.#responses),
      durationBuckets,
      durationSumMs: this.#durationSumMs,
      openRequests: this.#openRequests,
      openUpgrades: this.#openUpgrades,
      openByInstance,
    }
  }
}
