import type { Clock } from '../kernel/clock.ts'

/**
 * Wakes whoever waits. `count` read before looking at the truth and handed to `after` closes the gap between looking
 * and waiting: a ring in between ends the wait at once.
 */
export interface Bell {
  readonly count: number
  ring(): void
  /** Resolves at the first ring after `count`, or after `ms`. Rejects with the signal's reason. */
  after(count: number, ms: number, signal: AbortSignal): Promise<void>
}

export function createBell(clock: Clock): Bell {
  let count = 0
  const waiting = new Set<() => void>()
  return {
    get count() {
      return count
    },
    ring() {
      count++
      for (const wake of waiting) wake()
      waiting.clear()
    },
    async after(seen, ms, signal) {
      if (seen !== count) return
      const rung = new AbortController()
      const wake = () => rung.abort()
      waiting.add(wake)
      try {
        await clock.wait(ms, AbortSignal.any([signal, rung.signal]))
      } catch (error) {
        if (!rung.signal.aborted || signal.aborted) throw error
      } finally {
        waiting.delete(wake)
      }
    },
  }
}
