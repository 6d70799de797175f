/** Wakes whoever waits for an environment; a wake that nobody waits for is kept for the next wait. */
export interface Wakes {
  wake(environmentId: string): void
  /** Resolves at the next wake, after `ms`, or when aborted. */
  wait(environmentId: string, ms: number, signal: AbortSignal): Promise<void>
  forget(environmentId: string): void
}

export function createWakes(): Wakes {
  const pending = new Set<string>()
  const waiting = new Map<string, () => void>()
  return {
    wake(environmentId) {
      const resume = waiting.get(environmentId)
      if (resume) resume()
      else pending.add(environmentId)
    },
    wait: (environmentId, ms, signal) =>
      new Promise((resolve) => {
        if (pending.delete(environmentId) || signal.aborted) return resolve()
        const resume = () => {
          clearTimeout(timer)
          signal.removeEventListener('abort', resume)
          waiting.delete(environmentId)
          resolve()
        }
        const timer = setTimeout(resume, ms)
        signal.addEventListener('abort', resume, { once: true })
        waiting.set(environmentId, resume)
      }),
    forget: (environmentId) => void pending.delete(environmentId),
  }
}
