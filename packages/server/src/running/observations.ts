import type { Engine, Observed } from '../engines/engine.ts'

/**
 * What the engine last said of each id. Filled once, then kept by the engine's hints, so that looking at one environment
 * costs what changed in it and not what runs on the machine; a full look from time to time heals a lost hint.
 *
 * Answers may overtake each other. `ended` is final, so an older answer never takes it back; an id that is not here may
 * be there all the same: ask before believing that.
 */
export interface Observations {
  get(id: string): Observed | undefined
  all(): Iterable<Observed>
  /** Asks the engine about these ids now. */
  refresh(ids: readonly string[], signal: AbortSignal): Promise<void>
  refreshAll(signal: AbortSignal): Promise<void>
}

export function createObservations(engine: Engine): Observations {
  let known = new Map<string, Observed>()
  const newest = (seen: Observed): Observed => {
    const before = known.get(seen.id)
    return before?.state === 'ended' ? before : seen
  }
  return {
    get: (id) => known.get(id),
    all: () => known.values(),
    async refresh(ids, signal) {
      const seen = new Map((await engine.observe(ids, signal)).map((observed) => [observed.id, newest(observed)]))
      for (const id of ids) {
        const observed = seen.get(id)
        if (observed) known.set(id, observed)
        else known.delete(id)
      }
    },
    async refreshAll(signal) {
      const seen = await engine.observe('all', signal)
      known = new Map(seen.map((observed) => [observed.id, newest(observed)]))
    },
  }
}
