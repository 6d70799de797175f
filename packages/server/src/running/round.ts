import type { Transaction } from '../db/database.ts'
import { type Fence, Fenced, type Observed } from '../engines/engine.ts'
import type { ObservedInstance } from './instance.ts'
import { holdsClaim, type Readiness } from './instance-store.ts'
import type { RunningDeps } from './running-deps.ts'
import type { Workload } from './workload.ts'

/** One round of an environment: what was read, and the claim under which steps are applied. */
export interface Round {
  readonly workload: Workload
  readonly instances: readonly ObservedInstance[]
  readonly observed: ReadonlyMap<string, Observed>
  /** Of instances that have been asked: what the last failed check found, if anything. */
  readonly lastChecks: ReadonlyMap<string, string | undefined>
  readonly ready: ReadonlyMap<string, Readiness>
  readonly fence: Fence
  readonly signal: AbortSignal
}

/** Under the claim: what another has taken over stays as that one leaves it. */
export async function inTransaction<T>(
  deps: RunningDeps,
  round: Pick<Round, 'workload' | 'fence'>,
  body: (tx: Transaction) => Promise<T>,
): Promise<T> {
  const { environmentId } = round.workload
  return await deps.db.transaction(async (tx) => {
    if (!(await holdsClaim(tx, environmentId, round.fence.number))) {
      throw new Fenced(`somebody else works on environment ${environmentId}, or it is gone`)
    }
    return await body(tx)
  })
}
