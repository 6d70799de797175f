import type { InstanceId } from '../kernel/ids.ts'
import { isInService, type ObservedInstance } from './instance.ts'
import type { Step } from './plan-steps.ts'
import { hasFailed, isRollout, isUnwanted, type PlanPart, type Situation } from './situation.ts'
import { instanceCount } from './workload.ts'

/** Those that serve or could, by what is to become of them. */
interface Candidates {
  readonly inService: readonly ObservedInstance[]
  /** Of the desired release, one a slot. */
  readonly serve: readonly ObservedInstance[]
  /** Of the desired release too, and not needed any more. */
  readonly surplus: readonly ObservedInstance[]
  /** Of an earlier release or generation. */
  readonly outgoing: readonly ObservedInstance[]
}

/** Which instances are in service, and when the release becomes the live one. */
export function planRoute(situation: Situation): PlanPart {
  const { workload } = situation
  const candidates = findCandidates(situation)
  const { inService, outgoing } = candidates
  if (!workload.desired) {
    const isRouted = inService.length > 0 || workload.liveReleaseId
    return { steps: isRouted ? [{ kind: 'remove_route', drain: idsOf(inService) }] : [] }
  }
  if (!isRollout(situation) && outgoing.length === 0) return { steps: replace(candidates) }
  const isDue = !hasFailed(situation) && isComplete(situation, candidates.serve)
  return { steps: isDue ? switchOver(situation, candidates) : keepServing(situation, candidates) }
}

function findCandidates(situation: Situation): Candidates {
  const { workload, current, previous } = situation
  const ready = current.filter((i) => isInService(i) || isReadyToServe(i))
  const wanted = ready.filter((i) => i.slot < instanceCount(workload, i.processType))
  const serve = wanted.filter((i) => !hasSuccessor(i, wanted))
  const surplus = ready.filter((i) => !serve.includes(i) && isInService(i) && !isStandIn(situation, i, serve))
  return { inService: situation.instances.filter(isInService), serve, surplus, outgoing: previous.filter(isInService) }
}

/** Within the live release: what has become ready takes the place of what is surplus. */
function replace({ inService, serve, surplus }: Candidates): Step[] {
  if (serve.every(isInService) && surplus.length === 0) return []
  const staying = inService.filter((i) => !surplus.includes(i) && !serve.includes(i))
  return [{ kind: 'route', mode: 'serve', serve: idsOf([...serve, ...staying]), drain: idsOf(surplus) }]
}

function switchOver(situation: Situation, { serve, surplus, outgoing }: Candidates): Step[] {
  const { desired } = situation.workload
  const goLive = desired && isRollout(situation) ? { goLive: desired.id } : {}
  return [{ kind: 'route', mode: 'serve', serve: idsOf(serve), drain: idsOf([...outgoing, ...surplus]), ...goLive }]
}

/** The desired release is not complete, or has failed: what is live goes on, with what was started again of it. */
function keepServing(situation: Situation, { inService, serve, outgoing }: Candidates): Step[] {
  const restarted = situation.live.filter((i) => isReadyToServe(i) && !isUnwanted(i, situation))
  if (restarted.length > 0) {
    return [{ kind: 'route', mode: 'serve', serve: idsOf([...inService, ...restarted]), drain: [] }]
  }
  return hasFailed(situation) ? [] : holdForNonOverlapping(situation, { outgoing, ready: serve })
}

function idsOf(instances: readonly ObservedInstance[]): InstanceId[] {
  return instances.map(({ id }) => id)
}

/** One that the engine does not know any more passed its check in vain. */
function isReadyToServe(i: ObservedInstance): boolean {
  return i.status === 'starting' && i.healthyAt !== undefined && i.presence === 'running'
}

/** Beyond the scale, while one that is wanted is not there yet, or not well: the last well one of a type would go. */
function isStandIn({ workload }: Situation, i: ObservedInstance, serve: readonly ObservedInstance[]): boolean {
  const count = instanceCount(workload, i.processType)
  const well = serve.filter((other) => other.processType === i.processType && other.status !== 'unhealthy')
  return i.slot >= count && well.length < count
}

/** One that is well and newer stands in the same slot. */
function hasSuccessor(old: ObservedInstance, ready: readonly ObservedInstance[]): boolean {
  const isNewer = (i: ObservedInstance) =>
    i.createdAt > old.createdAt || (i.createdAt.getTime() === old.createdAt.getTime() && i.id > old.id)
  return ready.some(
    (i) =>
      i.processType === old.processType &&
      i.slot === old.slot &&
      i.status !== 'unhealthy' &&
      (isNewer(i) || (i !== old && old.status === 'unhealthy')),
  )
}

/** Every slot of each of these process types (every one of the release) has a ready instance of the desired release. */
function isComplete(
  { workload }: Situation,
  ready: readonly ObservedInstance[],
  types: readonly string[] = Object.keys(workload.desired?.processTypes ?? {}),
): boolean {
  return types.every((processType) => {
    const slots = new Set(ready.filter((i) => i.processType === processType).map((i) => i.slot))
    return slots.size >= instanceCount(workload, processType)
  })
}

/**
 * A type that must not overlap leaves service before its successor starts; a `web` one with its requests held. Not before
 * the others are ready: a release that does not come up shall not have stopped anything.
 */
function holdForNonOverlapping(
  situation: Situation,
  { outgoing, ready }: { outgoing: readonly ObservedInstance[]; ready: readonly ObservedInstance[] },
): Step[] {
  const types = situation.workload.desired?.processTypes ?? {}
  const overlapping = Object.keys(types).filter((type) => types[type]?.overlap)
  if (!isComplete(situation, ready, overlapping)) return []
  const first = outgoing.filter((i) => types[i.processType]?.overlap === false)
  if (first.length === 0) return []
  const mode = first.some((i) => i.processType === 'web') ? 'hold' : 'serve'
  const rest = outgoing.filter((i) => !first.includes(i))
  return [{ kind: 'route', mode, serve: idsOf(rest), drain: idsOf(first) }]
}
