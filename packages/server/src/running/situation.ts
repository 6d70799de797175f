import type { InstanceId } from '../kernel/ids.ts'
import type { ObservedInstance } from './instance.ts'
import type { RolloutPolicy, Step } from './plan-steps.ts'
import { instanceCount, type Workload } from './workload.ts'

/** Everything that a part of the planner looks at. */
export interface Situation {
  readonly workload: Workload
  readonly instances: readonly ObservedInstance[]
  readonly current: readonly ObservedInstance[]
  readonly previous: readonly ObservedInstance[]
  /** Of what is live while another release is desired, ended ones included. */
  readonly live: readonly ObservedInstance[]
  readonly policy: RolloutPolicy
  readonly now: number
}

/** What a part of the planner has to say; the parts are put together. */
export interface PlanPart {
  readonly steps: readonly Step[]
  readonly probe?: readonly InstanceId[]
  readonly lookAgainMs?: number
}

export function isRollout({ workload }: Situation): boolean {
  return workload.desired !== undefined && workload.liveReleaseId !== workload.desired.id
}

export function hasFailed({ workload }: Situation): boolean {
  return workload.desired !== undefined && workload.failedReleaseId === workload.desired.id
}

/** A process type of what is live whose instances go on, and are replaced, until the release that rolls out is complete. */
export function isKeptAlive({ workload: { desired, live } }: Situation, processType: string): boolean {
  if (!desired || !live || desired.processTypes.web?.overlap === false) return false
  return live.processTypes[processType]?.overlap === true && desired.processTypes[processType]?.overlap !== false
}

/** Of another release or generation, beyond the scale, or of a rollout that has failed. */
export function isUnwanted(i: ObservedInstance, situation: Situation): boolean {
  if (i.slot >= instanceCount(situation.workload, i.processType)) return true
  if (situation.live.includes(i)) return !isKeptAlive(situation, i.processType)
  return !situation.current.includes(i) || hasFailed(situation)
}
