import type { Clock } from '../../src/kernel/clock.ts'

/** Goes like the system's, and can be moved ahead: every wait that is due then ends. */
export interface HandClock extends Clock {
  move(ms: number): void
}

interface Waiter {
  readonly dueMs: number
  readonly end: () => void
}

export function createHandClock(): HandClock {
  let aheadMs = 0
  const waiters = new Set<Waiter>()
  const monotonicMs = () => performance.now() + aheadMs
  return {
    now: () => new Date(Date.now() + aheadMs),
    monotonicMs,
    wait: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason)
        const over = () => {
          clearTimeout(timer)
          waiters.delete(waiter)
          signal?.removeEventListener('abort', abort)
        }
        const end = () => {
          over()
          resolve()
        }
        const abort = () => {
          over()
          reject(signal?.reason)
        }
        const waiter = { dueMs: monotonicMs() + ms, end }
        const timer = setTimeout(end, ms)
        waiters.add(waiter)
        signal?.addEventListener('abort', abort, { once: true })
      }),
    move(ms) {
      aheadMs += ms
      for (const { dueMs, end } of [...waiters]) if (dueMs <= monotonicMs()) end()
    },
  }
}
