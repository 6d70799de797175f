import type { WorkHandler } from '../work/work.ts'
import { checkLiveness } from './check-liveness.ts'
import { createObservations } from './observations.ts'
import { reconcileEnvironment } from './reconcile-environment.ts'
import type { RunningDeps } from './running-deps.ts'
import { createWakes } from './wakes.ts'
import { watchEngine } from './watch-engine.ts'

/** The loop that never ends: only it starts and stops instances, and only it changes routes. */
export interface Running {
  /** Work kind `environment`; the subject is the environment's id. */
  readonly handleEnvironment: WorkHandler
  /** Something about this environment changed: a round that waits goes on at once. A hint, never needed. */
  wake(environmentId: string): void
  /** Adopts what runs, follows the engine and checks health, until aborted. */
  run(signal: AbortSignal): Promise<void>
}

export function createRunning(deps: RunningDeps): Running {
  const wakes = createWakes(deps.clock)
  const all = { ...deps, observations: createObservations(deps.engine), wakes }
  return {
    handleEnvironment: (item, signal) => reconcileEnvironment(all, item, signal),
    wake: (environmentId) => void wakes.wake(environmentId),
    async run(signal) {
      const stopListening = await deps.db.listen('work', (payload) => {
        const [kind, environmentId] = payload.split(' ')
        if (kind === 'environment' && environmentId) wakes.wake(environmentId)
      })
      await Promise.all([watchEngine(all, signal), checkLiveness(all, signal)])
      await stopListening()
    },
  }
}
