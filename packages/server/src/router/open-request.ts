import type { ReleaseCounters } from './release-counters.ts'

/** Counts one request for the release it is for, from its begin to its end. */
export class OpenRequest {
  readonly #startMs: number
  readonly #nowMs: () => number
  #counters: ReleaseCounters | undefined
  #isUpgraded = false

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
    this.#startMs = nowMs()
  }

  /** It is for this release now: it waited while another one became live. */
  countFor(counters: ReleaseCounters): void {
    if (this.#counters === counters) return
    this.#counters?.openRequests(-1)
    this.#counters = counters
    counters.openRequests(1)
  }

  /** From now on it is an upgraded connection; its answer is counted, its duration ends here. */
  upgraded(): void {
    const counters = this.#counters
    if (!counters) return
    this.#isUpgraded = true
    counters.openRequests(-1)
    counters.openUpgrades(1)
    counters.answered('1xx', this.#nowMs() - this.#startMs)
  }

  /** `responseClass` as in router/protocol.ts. */
  ended(responseClass: string): void {
    const counters = this.#counters
    if (!counters) return
    this.#counters = undefined
    if (this.#isUpgraded) {
      counters.openUpgrades(-1)
      return
    }
    counters.openRequests(-1)
    counters.answered(responseClass, this.#nowMs() - this.#startMs)
  }
}
