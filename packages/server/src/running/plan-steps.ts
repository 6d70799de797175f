import { backoffMs } from '../kernel/backoff.ts'
import type { InstanceId, ReleaseId } from '../kernel/ids.ts'
import { isInService, type ObservedInstance } from './instance.ts'
import { planRoute } from './plan-route.ts'
import { planStops } from './plan-stops.ts'
import { hasFailed, isKeptAlive, isRollout, isUnwanted, type PlanPart, type Situation } from './situation.ts'
import { instanceCount, type Workload } from './workload.ts'

/** Times in ms. The design's §4 names each of them. */
export interface RolloutPolicy {
  readonly bootLimitMs: number
  readonly drainMs: number
  /** No count of open requests is asked for earlier than this after the switch: the routers have yet to acknowledge it. */
  readonly drainCountAfterMs: number
  readonly drainingGenerations: number
  readonly firstBackoffMs: number
  readonly maxBackoffMs: number
  /** A process type without a port is ready once it has run this long. */
  readonly aliveMs: number
  /** So many failed checks in a row make an instance in service unhealthy. */
  readonly failuresAllowed: number
}

export const defaultPolicy: RolloutPolicy = {
  bootLimitMs: 60_000,
  drainMs: 30_000,
  drainCountAfterMs: 250,
  drainingGenerations: 2,
  firstBackoffMs: 1_000,
  maxBackoffMs: 300_000,
  aliveMs: 1_000,
  failuresAllowed: 3,
}

export type Step =
  | { readonly kind: 'record_end'; readonly instanceId: InstanceId }
  /** Its end is recorded, and the engine still keeps what it has of it: nobody was there to tell it, or it did not answer. */
  | { readonly kind: 'forget'; readonly instanceId: InstanceId }
  /** Turns instances in service unhealthy or healthy again, and the route with them. */
  | { readonly kind: 'judge_health'; readonly instanceIds: readonly InstanceId[] }
  /** `releaseId`: of what is live, while another release is desired. */
  | {
      readonly kind: 'start'
      readonly processType: string
      readonly slot: number
      readonly crashes: number
      readonly releaseId?: ReleaseId
    }
  /** The intent is written and the engine does not know it: the control plane died in between. */
  | { readonly kind: 'start_again'; readonly instanceId: InstanceId }
  | { readonly kind: 'mark_ready'; readonly instanceId: InstanceId }
  | { readonly kind: 'fail_rollout'; readonly instanceId: InstanceId; readonly cause: 'exited' | 'not_ready' }
  /** One transaction: these are in service, those drain, and with `goLive` the release is the live one. */
  | {
      readonly kind: 'route'
      readonly mode: 'serve' | 'hold'
      readonly serve: readonly InstanceId[]
      readonly drain: readonly InstanceId[]
      readonly goLive?: ReleaseId
    }
  | { readonly kind: 'remove_route'; readonly drain: readonly InstanceId[] }
  /** `isCrash`: counts for the back-off although Gantry ends it. `ifIdle`: not while a router has a request open to it. */
  | {
      readonly kind: 'stop'
      readonly instanceId: InstanceId
      readonly reason: string
      readonly isCrash?: true
      readonly ifIdle?: true
    }

export interface Plan {
  readonly steps: readonly Step[]
  /** Instances whose check has to be tried now. */
  readonly probe: readonly InstanceId[]
  /** Nothing is under way: look again only when something changed. */
  readonly settled: boolean
  /** When to look again although nothing changed, in ms from now. */
  readonly lookAgainMs?: number
}

/**
 * What to do next so that what runs becomes what is desired. Pure. Facts come first: while an end or a turn of health is
 * unrecorded nothing else is decided, because it changes what is missing.
 */
export function planSteps(
  workload: Workload,
  instances: readonly ObservedInstance[],
  policy: RolloutPolicy,
  now: Date,
): Plan {
  const facts = unrecordedFacts(instances, policy)
  if (facts.length > 0) return { steps: facts, probe: [], settled: false }
  const isCurrent = (i: ObservedInstance) =>
    i.releaseId === workload.desired?.id && i.generation === workload.generation
  const isLive = (i: ObservedInstance) => i.releaseId === workload.live?.id && i.generation === workload.generation
  const situation: Situation = {
    workload,
    live: instances.filter(isLive),
    instances,
    current: instances.filter(isCurrent),
    previous: instances.filter((i) => !isCurrent(i) && i.status !== 'ended'),
    policy,
    now: now.getTime(),
  }
  const route = planRoute(situation)
  const parts = [
    planStarts(situation),
    planRestarts(situation),
    planReadiness(situation),
    route,
    planStops(situation, { isRouting: route.steps.length > 0 }),
    planForgetting(situation),
  ]
  const steps = parts.flatMap((part) => part.steps)
  const waits = parts.flatMap((part) => (part.lookAgainMs === undefined ? [] : [part.lookAgainMs]))
  const moving = instances.some((i) => i.status !== 'ended' && !(isCurrent(i) && i.status === 'healthy'))
  return {
    steps,
    probe: parts.flatMap((part) => part.probe ?? []),
    settled: steps.length === 0 && !moving && waits.length === 0,
    ...(waits.length > 0 && { lookAgainMs: Math.max(0, Math.min(...waits)) }),
  }
}

function unrecordedFacts(instances: readonly ObservedInstance[], policy: RolloutPolicy): Step[] {
  const ends = instances.filter(hasEndedUnrecorded)
  if (ends.length > 0) return ends.map((i) => ({ kind: 'record_end', instanceId: i.id }))
  const isIll = (i: ObservedInstance) => i.failedChecks >= policy.failuresAllowed
  const turned = instances.filter((i) => isInService(i) && isIll(i) !== (i.status === 'unhealthy'))
  return turned.length > 0 ? [{ kind: 'judge_health', instanceIds: turned.map((i) => i.id) }] : []
}

function hasEndedUnrecorded(i: ObservedInstance): boolean {
  if (i.status === 'ended') return false
  if (i.presence === 'ended') return true
  // A starting one that the engine does not know is started again; a stopping one is stopped again.
  return i.presence === 'absent' && i.status !== 'starting'
}

function planForgetting({ instances }: Situation): PlanPart {
  const known = instances.filter((i) => i.status === 'ended' && i.presence === 'ended')
  return { steps: known.map((i) => ({ kind: 'forget', instanceId: i.id })) }
}

function planStarts(situation: Situation): PlanPart {
  const { workload, current } = situation
  if (!workload.desired || hasFailed(situation)) return { steps: [] }
  const steps: Step[] = []
  let lookAgainMs: number | undefined
  for (const [processType, { overlap }] of Object.entries(workload.desired.processTypes)) {
    if (!overlap && situation.previous.some((i) => i.processType === processType)) continue
    let replacing = current.some((i) => i.processType === processType && i.status === 'starting')
    for (let slot = 0; slot < instanceCount(workload, processType); slot++) {
      const inSlot = current.filter((i) => i.processType === processType && i.slot === slot)
      if (inSlot.some((i) => i.status === 'starting' || i.status === 'healthy')) continue
      if (inSlot.some((i) => mustEndFirst(i, overlap))) continue
      const unhealthy = inSlot.some((i) => i.status === 'unhealthy')
      if (unhealthy && (replacing || !overlap)) continue // never all at once; without overlap it is stopped first
      const last = latestEnded(inSlot)
      if (last && isRollout(situation) && last.crashes > 0) {
        return { steps: [{ kind: 'fail_rollout', instanceId: last.id, cause: 'exited' }] }
      }
      const waitMs = last ? notBefore(last, situation) - situation.now : 0
      if (waitMs > 0) {
        lookAgainMs = Math.min(lookAgainMs ?? waitMs, waitMs)
        continue
      }
      replacing = true
      steps.push({ kind: 'start', processType, slot, crashes: last?.crashes ?? 0 })
    }
  }
  return { steps, ...(lookAgainMs !== undefined && { lookAgainMs }) }
}

/** What is live goes on while another release rolls out, or fails to: what crashes of it is started again. */
function planRestarts(situation: Situation): PlanPart {
  const { workload, live } = situation
  const steps: Step[] = []
  const waits: number[] = []
  for (const processType of Object.keys(workload.live?.processTypes ?? {})) {
    if (!isKeptAlive(situation, processType)) continue
    for (let slot = 0; slot < instanceCount(workload, processType); slot++) {
      const inSlot = live.filter((i) => i.processType === processType && i.slot === slot)
      const last = inSlot.every((i) => i.status === 'ended') ? latestEnded(inSlot) : undefined
      const waitMs = last ? notBefore(last, situation) - situation.now : 0
      if (waitMs > 0) waits.push(waitMs)
      else if (last) steps.push({ kind: 'start', processType, slot, crashes: last.crashes, releaseId: last.releaseId })
    }
  }
  return { steps, ...(waits.length > 0 && { lookAgainMs: Math.min(...waits) }) }
}

/** Without overlap nothing runs beside a successor; and what never came up is counted as a crash before the next try. */
function mustEndFirst(i: ObservedInstance, overlap: boolean): boolean {
  return i.status === 'stopping' ? !overlap || !i.healthyAt : i.status === 'draining' && !overlap
}

function latestEnded(instances: readonly ObservedInstance[]): ObservedInstance | undefined {
  return instances
    .filter((i) => i.status === 'ended')
    .sort((a, b) => (b.endedAt?.getTime() ?? 0) - (a.endedAt?.getTime() ?? 0))[0]
}

function notBefore(last: ObservedInstance, { policy }: Situation): number {
  return (last.endedAt?.getTime() ?? 0) + backoffMs(last.crashes, policy.firstBackoffMs, policy.maxBackoffMs)
}

/** Starting instances: known to the engine? alive long enough, or to be probed? out of time? */
function planReadiness(situation: Situation): PlanPart {
  const { policy, now } = situation
  const steps: Step[] = []
  const probe: InstanceId[] = []
  const waits: number[] = []
  for (const i of [...situation.current, ...situation.live]) {
    if (i.status !== 'starting' || isUnwanted(i, situation)) continue
    if (i.presence === 'absent') steps.push({ kind: 'start_again', instanceId: i.id }) // whatever it passed before
    if (i.presence === 'absent' || i.healthyAt) continue
    const sinceMs = (i.startedAt ?? i.createdAt).getTime()
    const bootLeftMs = sinceMs + policy.bootLimitMs - now
    const aliveLeftMs = sinceMs + policy.aliveMs - now
    if (i.processType === 'web' && (bootLeftMs > 0 || !i.wasProbed)) {
      probe.push(i.id)
      waits.push(Math.max(bootLeftMs, 10))
    } else if (i.processType !== 'web' && i.presence === 'running' && aliveLeftMs <= 0) {
      steps.push({ kind: 'mark_ready', instanceId: i.id })
    } else if (bootLeftMs > 0) {
      waits.push(Math.max(aliveLeftMs, 10))
    } else if (isRollout(situation) && situation.current.includes(i)) {
      steps.push({ kind: 'fail_rollout', instanceId: i.id, cause: 'not_ready' })
    } else {
      const reason = `not healthy within ${policy.bootLimitMs / 1000} s`
      steps.push({ kind: 'stop', instanceId: i.id, reason, isCrash: true })
    }
  }
  return { steps, probe, ...(waits.length > 0 && { lookAgainMs: Math.min(...waits) }) }
}
