import { isInService, type ObservedInstance } from './instance.ts'
import type { RolloutPolicy, Step } from './plan-steps.ts'
import { isUnwanted, type PlanPart, type Situation } from './situation.ts'

/**
 * What has to end: what nobody wants, what has drained, what was being stopped when the control plane died.
 * `isRouting`: the plan changes the route already; what else is to leave it waits for the next look.
 */
export function planStops(situation: Situation, { isRouting }: { readonly isRouting: boolean }): PlanPart {
  const { policy, now } = situation
  const steps: Step[] = []
  const waits: number[] = []
  const cut = generationsToCut(situation)
  const sick = isRouting ? undefined : situation.instances.find((i) => mustStopFirst(i, situation))
  if (sick) steps.push(takeOutOfService(sick, situation))
  for (const i of situation.instances) {
    if (i.status === 'stopping') steps.push({ kind: 'stop', instanceId: i.id, reason: i.endReason ?? 'stopped' })
    else if (i.status === 'starting' && isUnwanted(i, situation)) {
      steps.push({ kind: 'stop', instanceId: i.id, reason: 'superseded' })
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

/** Sick, without overlap, and no other of its type is being replaced: never all at once. */
function mustStopFirst(i: ObservedInstance, { workload, current }: Situation): boolean {
  if (i.status !== 'unhealthy' || !current.includes(i)) return false
  const isChanging = (other: ObservedInstance) =>
    other.processType === i.processType && ['starting', 'draining', 'stopping'].includes(other.status)
  return workload.desired?.processTypes[i.processType]?.overlap === false && !current.some(isChanging)
}

/** The requests of the last `web` wait for its successor. */
function takeOutOfService(i: ObservedInstance, { instances }: Situation): Step {
  const others = instances.filter((other) => other !== i && isInService(other))
  const isLast = i.processType === 'web' && !others.some((other) => other.processType === 'web')
  return { kind: 'route', mode: isLast ? 'hold' : 'serve', serve: others.map(({ id }) => id), drain: [i.id] }
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
