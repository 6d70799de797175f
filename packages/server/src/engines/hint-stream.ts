/**
 * Turns callbacks into the port's stream of hints, from the moment of the call. What comes while nobody reads is kept once
 * per id; the stream ends when the signal is aborted.
 */
export function hintStream(
  subscribe: (listener: (id: string | undefined) => void) => () => void,
  signal: AbortSignal,
): AsyncIterable<string | undefined> {
  const waiting = new Set<string | undefined>()
  let wake = (): void => undefined
  const unsubscribe = subscribe((id) => {
    waiting.add(id)
    wake()
  })
  const end = (): void => {
    unsubscribe()
    wake()
  }
  if (signal.aborted) end()
  else signal.addEventListener('abort', end, { once: true })
  return (async function* () {
    while (!signal.aborted) {
      if (waiting.size > 0) {
        const [id] = waiting
        waiting.delete(id)
        yield id
        continue
      }
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
  })()
}
