/** Runs bodies one after another for one key, in the order in which they were asked for. */
export type Ordered = <T>(key: string, body: () => Promise<T>) => Promise<T>

export function createOrdered(): Ordered {
  const tails = new Map<string, Promise<unknown>>()
  return async (key, body) => {
    const before = tails.get(key) ?? Promise.resolve()
    const running = before.then(body)
    const tail = running.catch(() => undefined)
    tails.set(key, tail)
    try {
      return await running
    } finally {
      if (tails.get(key) === tail) tails.delete(key)
    }
  }
}
