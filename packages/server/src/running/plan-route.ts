import { isInService, type ObservedInstance } from './instance.ts'
import type { Step } from './plan-steps.ts'
import { hasFailed, isRollout, isUnwanted, type PlanPart, type Situation } from './situation.ts'
import { instanceCount } from './workload.ts'

/** Which instances are in service, and when the release becomes the live one. */
export function planRoute(situation: Situation): PlanPart {
  const { workload, current, previous } = situation
  const inService = situation.instances.filter(isInService)
  if (!workload.desired) {
    return inService.length > 0 || workload.liveReleaseId
      ? { steps: [{ kind: 'remove_route', drain: inService.map((i) => i.id) }] }
      : { steps: [] }
  }
  const ready = current.filter((i) => isInService(i) || isReadyToServe(i))
  const wanted = ready.filter((i) => i.slot < instanceCount(workload, i.processType))
  const serve = wanted.filter((i) => !hasSuccessor(i, wanted))
  const surplus = ready.filter((i) => !serve.includes(i) && isInService(i) && !isStandIn(situation, i, serve))
  const outgoing = previous.filter(isInService)

  if (isRollout(situation) || outgoing.length > 0) {
    const again = situation.live.filter((i) => isReadyToServe(i) && !isUnwanted(i, situation))
    const isDue = !hasFailed(situation) && isComplete(situation, serve)
    if (!isDue && again.length > 0) {
      const serving = [...inService, ...again].map((i) => i.id)
      return { steps: [{ kind: 'route', mode: 'serve', serve: serving, drain: [] }] }
    }
    if (hasFailed(situation)) return { steps: [] }
    if (!isComplete(situation, serve)) return { steps: holdForNonOverlapping(situation, { outgoing, ready: serve }) }
    const goLive = isRollout(situation) ? { goLive: workload.desired.id } : {}
    const drain = [...outgoing, ...surplus].map((i) => i.id)
    return { steps: [{ kind: 'route', mode: 'serve', serve: serve.map((i) => i.id), drain, ...goLive }] }
  }
  const isNew = serve.some((i) => !isInService(i))
  if (!isNew && surplus.length === 0) return { steps: [] }
  const staying = inService.filter((i) => !surplus.includes(i) && !serve.includes(i))
  return {
    steps: [
      { kind: 'route', mode: 'serve', serve: [...serve, ...staying].map((i) => i.id), drain: surplus.map((i) => i.id) },
    ],
  }
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
  const rest = outgoing.filter((i) => !first.includes(i)).map((i) => i.id)
  return [{ kind: 'route', mode, serve: rest, drain: first.map((i) => i.id) }]
}
