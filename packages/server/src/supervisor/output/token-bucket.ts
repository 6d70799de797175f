/** How many bytes may pass: `perSecond` in the long run, `burst` at once. */
export interface TokenBucket {
  /** Whether this many bytes may pass now; takes them if so. */
  take(bytes: number): boolean
}

export function createTokenBucket(perSecond: number, burst: number, monotonicMs: () => number): TokenBucket {
  let tokens = burst
  let at = monotonicMs()
  return {
    take(bytes) {
      const now = monotonicMs()
      tokens = Math.min(burst, tokens + ((now - at) / 1000) * perSecond)
      at = now
      if (tokens < bytes) return false
      tokens -= bytes
      return true
    },
  }
}
