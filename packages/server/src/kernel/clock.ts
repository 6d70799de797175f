/**
 * Time as a dependency. `now` is wall-clock time and may jump; `monotonicMs` never goes back and is what every timeout
 * and lease is measured with. `wait` rejects with the signal's reason when it is aborted.
 */
export interface Clock {
  now(): Date
  monotonicMs(): number
  wait(ms: number, signal?: AbortSignal): Promise<void>
}

export const systemClock: Clock = {
  now: () => new Date(),
  monotonicMs: () => performance.now(),
  wait: (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason)
      const stop = () => {
        clearTimeout(timer)
        reject(signal?.reason)
      }
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', stop)
        resolve()
      }, ms)
      signal?.addEventListener('abort', stop, { once: true })
    }),
}
