/** Runs bodies one after another for one key, and side by side for different keys, in this process. */
export interface KeyedLock {
  /** Rejects with the signal's reason when it aborts while waiting. */
  run<T>(key: string, signal: AbortSignal, body: () => Promise<T>): Promise<T>
}

export function createKeyedLock(): KeyedLock {
  const tails = new Map<string, Promise<void>>()
  return {
    async run(key, signal, body) {
      const before = tails.get(key) ?? Promise.resolve()
      const { promise: released, resolve: release } = Promise.withResolvers<void>()
      const tail = before.then(() => released)
      tails.set(key, tail)
      try {
        await orAborted(before, signal)
        return await body()
      } finally {
        release()
        if (tails.get(key) === tail) tails.delete(key)
      }
    },
  }
}

async function orAborted(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const stop = () => reject(signal.reason)
  signal.addEventListener('abort', stop, { once: true })
  try {
    await Promise.race([promise, aborted])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}
