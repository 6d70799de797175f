import type { Observed } from '../engines/engine.ts'
import type { EnvironmentId } from '../kernel/ids.ts'
import type { WorkItem } from '../work/work.ts'
import type { ObservedInstance } from './instance.ts'
import { instancesOf, type Readiness } from './instance-store.ts'
import type { Observations } from './observations.ts'
import type { Round } from './round.ts'
import type { RunningDeps } from './running-deps.ts'
import type { Wake, Wakes } from './wakes.ts'
import type { Workload } from './workload.ts'

export interface ReconcileDeps extends RunningDeps {
  readonly observations: Observations
  readonly wakes: Wakes
}

/** What lives as long as one claim of an environment. All of it can be found out anew by the next. */
export interface Claim {
  readonly environmentId: EnvironmentId
  readonly item: WorkItem
  readonly signal: AbortSignal
  readonly wake: Wake
  /** Checks and stops that run beside the rounds, by `probe <id>` or `stop <id>`. */
  readonly background: Map<string, { readonly promise: Promise<void>; readonly abort: AbortController }>
  /** Of instances that have been asked: what the last failed check found, if anything. */
  readonly lastChecks: Map<string, string | undefined>
  /** Passed their check; written down with the switch of the route. */
  readonly ready: Map<string, Readiness>
  workload?: Workload
  failure?: { readonly error: unknown }
}

/** Everything a round decides from, as it is now; `undefined` once the environment is gone. */
export async function readRound(deps: ReconcileDeps, claim: Claim): Promise<Round | undefined> {
  const workload = await deps.environments.load(claim.environmentId, claim.workload)
  if (!workload) return undefined
  claim.workload = workload
  const rows = await instancesOf(deps.db, workload.scope, claim.environmentId)
  const unseen = rows.filter((row) => row.status !== 'ended' && !deps.observations.get(row.id)).map((row) => row.id)
  if (unseen.length > 0) await deps.observations.refresh(unseen, claim.signal)
  const observed = new Map<string, Observed>()
  const instances = rows.map((row): ObservedInstance => {
    const seen = deps.observations.get(row.id)
    if (seen) observed.set(row.id, seen)
    const ready = row.status === 'starting' ? claim.ready.get(row.id) : undefined
    const openRequests = row.status === 'draining' ? deps.routing.openRequests(row.id) : undefined
    return {
      ...row,
      presence: seen?.state ?? 'absent',
      wasProbed: claim.lastChecks.has(row.id),
      ...(ready && { healthyAt: ready.at }),
      ...(openRequests !== undefined && { openRequests }),
    }
  })
  const { lastChecks, ready, signal } = claim
  const fence = { scope: claim.environmentId, number: claim.item.fence }
  return { workload, instances, observed, lastChecks, ready, fence, signal }
}
