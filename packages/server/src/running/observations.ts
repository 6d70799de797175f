import type { Engine, Observed } from '../engines/engine.ts'

/**
 * What the engine last said of each id. Filled once, then kept by the engine's hints, so that looking at one environment
 * costs what changed in it and not what runs on the machine; a full look from time to time heals a lost hint.
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
  return {
    get: (id) => known.get(id),
    all: () => known.values(),
    async refresh(ids, signal) {
      const seen = await engine.observe(ids, signal)
      for (const id of ids) known.delete(id)
      for (const observed of seen) known.set(observed.id, observed)
    },
    async refreshAll(signal) {
      const seen = await engine.observe('all', signal)
      known = new Map(seen.map((observed) => [observed.id, observed]))
    },
  }
}
