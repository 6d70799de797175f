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

/** Of another release or generation, beyond the scale, or of a rollout that has failed. */
export function isUnwanted(i: ObservedInstance, situation: Situation): boolean {
  if (!situation.current.includes(i)) return true
  return i.slot >= instanceCount(situation.workload, i.processType) || hasFailed(situation)
}
