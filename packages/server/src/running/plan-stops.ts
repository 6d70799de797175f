import type { InstanceId } from '../kernel/ids.ts'
import { isInService, type ObservedInstance } from './instance.ts'
import type { RolloutPolicy, Step } from './plan-steps.ts'
import { isUnwanted, type PlanPart, type Situation } from './situation.ts'

/** What has to end: what nobody wants, what has drained, what was being stopped when the control plane died. */
export function planStops(situation: Situation): PlanPart {
  const { policy, now } = situation
  const steps: Step[] = []
  const waits: number[] = []
  const cut = generationsToCut(situation)
  for (const i of situation.instances) {
    if (i.status === 'stopping') steps.push({ kind: 'stop', instanceId: i.id, reason: i.endReason ?? 'stopped' })
    else if (i.status === 'starting' && isUnwanted(i, situation)) {
      steps.push({ kind: 'stop', instanceId: i.id, reason: 'superseded' })
    } else if (i.status === 'unhealthy' && mustStopFirst(i, situation)) {
      steps.push({
        kind: 'route',
        mode: i.processType === 'web' ? 'hold' : 'serve',
        serve: othersInService(i, situation),
        drain: [i.id],
      })
    } else if (i.status === 'draining') {
      const isCut = cut.has(generationKey(i)) || drainLimitMs(i, policy, now) <= 0
      const waitMs = isCut ? 0 : drainLeftMs(i, policy, now)
      if (waitMs <= 0)
        steps.push({ kind: 'stop', instanceId: i.id, reason: 'replaced', ...(!isCut && { ifIdle: true }) })
      else waits.push(waitMs)
    }
  }
  return { steps, ...(waits.length > 0 && { lookAgainMs: Math.min(...waits) }) }
}

function mustStopFirst(i: ObservedInstance, { workload, current }: Situation): boolean {
  return current.includes(i) && workload.desired?.processTypes[i.processType]?.overlap === false
}

function othersInService(i: ObservedInstance, { instances }: Situation): InstanceId[] {
  return instances.filter((other) => other !== i && isInService(other)).map((other) => other.id)
}

function generationKey(i: ObservedInstance): string {
  return `${i.releaseId}/${i.generation}`
}

/** At most so many generations drain beside each other; the oldest are cut. */
function generationsToCut({ instances, policy }: Situation): ReadonlySet<string> {
  const since = new Map<string, number>()
  for (const i of instances) {
    if (i.status === 'draining') since.set(generationKey(i), i.drainingAt?.getTime() ?? 0)
  }
  const newestFirst = [...since.entries()].sort((a, b) => b[1] - a[1]).map(([key]) => key)
  return new Set(newestFirst.slice(policy.drainingGenerations))
}

function drainLimitMs(i: ObservedInstance, policy: RolloutPolicy, now: number): number {
  return (i.drainingAt?.getTime() ?? now) + policy.drainMs - now
}

function drainLeftMs(i: ObservedInstance, policy: RolloutPolicy, now: number): number {
  if (i.processType !== 'web') return 0
  const countMs = (i.drainingAt?.getTime() ?? now) + policy.drainCountAfterMs - now
  if (countMs > 0) return countMs
  return i.openRequests === 0 ? 0 : Math.min(drainLimitMs(i, policy, now), 250)
}
