/**
 * Turns callbacks into the port's stream of hints. What comes while nobody reads is kept once per id; the stream ends
 * when the signal is aborted.
 */
export async function* hintStream(
  subscribe: (listener: (id: string) => void) => () => void,
  signal: AbortSignal,
): AsyncGenerator<string, void, undefined> {
  const waiting = new Set<string>()
  let wake = (): void => undefined
  const unsubscribe = subscribe((id) => {
    waiting.add(id)
    wake()
  })
  const onAbort = (): void => wake()
  signal.addEventListener('abort', onAbort)
  try {
    while (!signal.aborted) {
      const [id] = waiting
      if (id !== undefined) {
        waiting.delete(id)
        yield id
        continue
      }
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
  } finally {
    signal.removeEventListener('abort', onAbort)
    unsubscribe()
  }
}
