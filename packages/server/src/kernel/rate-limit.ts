import type { Clock } from './clock.ts'
import { UserError } from './errors.ts'

export interface Allowance {
  readonly isAllowed: boolean
  readonly remaining: number
  /** Seconds until the window ends. */
  readonly resetSeconds: number
}

export interface RateLimit {
  readonly quota: number
  readonly windowSeconds: number
  /** Counts one use of the key and says whether it was allowed. */
  take(key: string): Allowance
}

const mostKeys = 20_000

/** A fixed window a key. Memory is bounded: when there are too many keys, all windows begin anew. */
export function createRateLimit(clock: Clock, quota: number, windowSeconds = 60): RateLimit {
  const windows = new Map<string, { used: number; readonly endsAtMs: number }>()
  const windowOf = (key: string) => {
    const now = clock.monotonicMs()
    const known = windows.get(key)
    if (known && known.endsAtMs > now) return known
    if (windows.size >= mostKeys) windows.clear()
    const fresh = { used: 0, endsAtMs: now + windowSeconds * 1000 }
    windows.set(key, fresh)
    return fresh
  }
  return {
    quota,
    windowSeconds,
    take(key) {
      const window = windowOf(key)
      const isAllowed = window.used < quota
      if (isAllowed) window.used += 1
      const resetSeconds = Math.max(1, Math.ceil((window.endsAtMs - clock.monotonicMs()) / 1000))
      return { isAllowed, remaining: quota - window.used, resetSeconds }
    },
  }
}

/** `rate_limited`, with the time to wait. */
export function tooMany(what: string, retryAfterSeconds: number): UserError {
  return new UserError('rate_limited', `${what}: try again in ${retryAfterSeconds} s.`, { retryAfterSeconds })
}
