import type { InstanceId, ReleaseId } from '../kernel/ids.ts'
import { isInService, type ObservedInstance } from './instance.ts'
import { anInstance, at, aWorkload } from './plan-steps.fixture.ts'
import { defaultPolicy, type Plan, planSteps, type Step } from './plan-steps.ts'
import { instanceCount, type Workload } from './workload.ts'

/** Process types of a release, by name: whether an instance may run beside its successor. */
export type Types = Readonly<Record<string, { readonly overlap: boolean }>>

/** A small world that obeys steps at once and as the stores do, for properties over whole histories. */
export class World {
  now = 0
  next = 0
  releases = 2
  mode: 'serve' | 'hold' = 'serve'
  workload: Workload
  instances: ObservedInstance[] = []

  constructor(types: Types) {
    const scale = Object.fromEntries(Object.keys(types).map((type) => [type, 1]))
    this.workload = aWorkload({ liveReleaseId: undefined as never, scale }, types)
  }

  change(id: InstanceId, change: Partial<ObservedInstance>): void {
    this.instances = this.instances.map((i) => (i.id === id ? { ...i, ...change } : i))
  }

  plan(): Plan {
    const { desired, liveReleaseId: id } = this.workload
    const live = desired && id && id !== desired.id ? { live: { ...desired, id } } : {}
    return planSteps({ ...this.workload, ...live }, this.instances, defaultPolicy, at(this.now))
  }

  of(type: string, status?: ObservedInstance['status']): ObservedInstance[] {
    return this.instances.filter((i) => i.processType === type && (status === undefined || i.status === status))
  }

  inService(type?: string): ObservedInstance[] {
    return this.instances.filter((i) => isInService(i) && (type === undefined || i.processType === type))
  }

  apply(step: Step): void {
    switch (step.kind) {
      case 'start':
        this.start(step)
        return
      case 'start_again':
        this.change(step.instanceId, { presence: 'running', startedAt: at(this.now), ...unready })
        return
      case 'route':
        this.route(step)
        return
      case 'remove_route':
        this.drain(step.drain)
        return
      case 'stop':
        this.stop(step)
        return
      case 'record_end':
        this.recordEnd(step.instanceId)
        return
      case 'forget':
        this.change(step.instanceId, { presence: 'absent' })
        return
      case 'judge_health':
        this.mode = 'serve'
        for (const i of this.instances.filter(({ id }) => step.instanceIds.includes(id))) {
          this.change(i.id, { status: i.failedChecks >= defaultPolicy.failuresAllowed ? 'unhealthy' : 'healthy' })
        }
        return
      case 'mark_ready':
        this.change(step.instanceId, { healthyAt: at(this.now) })
        return
      case 'fail_rollout':
        this.workload = { ...this.workload, failedReleaseId: this.workload.desired?.id as ReleaseId }
    }
  }

  private start(step: Extract<Step, { kind: 'start' }>): void {
    const id = `ins-${this.next++}`
    const times = { createdAt: at(this.now), startedAt: at(this.now) }
    const { healthyAt: _, ...fresh } = anInstance({ ...step, ...times, id, status: 'starting' })
    const releaseId = step.releaseId ?? (this.workload.desired?.id as ReleaseId)
    this.instances.push({ ...fresh, releaseId, generation: this.workload.generation })
  }

  private route(step: Extract<Step, { kind: 'route' }>): void {
    if (step.goLive && step.goLive !== this.workload.desired?.id) return
    for (const i of this.instances) {
      const isPut = step.serve.includes(i.id) && i.status === 'starting' && i.healthyAt
      if (isPut) this.change(i.id, { status: 'healthy', failedChecks: 0 })
    }
    this.drain(step.drain)
    this.mode = step.mode
    if (step.goLive) {
      const { failedReleaseId: _, ...workload } = this.workload
      this.workload = { ...workload, liveReleaseId: step.goLive }
    }
  }

  private drain(ids: readonly InstanceId[]): void {
    for (const i of this.inService()) {
      if (ids.includes(i.id)) this.change(i.id, { status: 'draining', drainingAt: at(this.now), openRequests: 0 })
    }
  }

  private stop(step: Extract<Step, { kind: 'stop' }>): void {
    const before = this.instances.find((i) => i.id === step.instanceId)
    const crashes = step.isCrash ? (before?.crashes ?? 0) + 1 : 0
    this.change(step.instanceId, { status: 'ended', presence: 'absent', endedAt: at(this.now), crashes })
  }

  private recordEnd(id: InstanceId): void {
    const before = this.instances.find((i) => i.id === id)
    const isLost = before?.presence === 'absent' || before?.status === 'draining'
    const crashes = isLost ? 0 : (before?.crashes ?? 0) + 1
    if (before && before.processType === 'web' && isInService(before)) this.mode = 'serve'
    this.change(id, { status: 'ended', endedAt: at(this.now), crashes })
  }
}

const unready = { healthyAt: undefined as never }

export const eventKinds = [
  'round',
  'ready',
  'crash',
  'lost',
  'deploy',
  'fail',
  'back',
  'restart',
  'up',
  'down',
  'sick',
  'well',
  'second',
  'minute',
] as const

/** What may happen in a history. */
export interface Event {
  readonly kind: (typeof eventKinds)[number]
  /** Which of those that it may happen to. */
  readonly pick: number
}

function pickOf<T>(items: readonly T[], { pick }: Event): T | undefined {
  return items[pick % Math.max(items.length, 1)]
}

export function happen(world: World, event: Event): void {
  const { workload } = world
  const { desired } = workload
  const running = world.instances.filter((i) => i.status !== 'ended' && i.presence === 'running')
  const victim = pickOf(running, event)
  const type = pickOf(Object.keys(desired?.processTypes ?? {}), event) ?? 'web'
  switch (event.kind) {
    case 'second':
      world.now += 1000
      return
    case 'minute':
      world.now += defaultPolicy.bootLimitMs
      return
    case 'ready': {
      const starting = running.filter((i) => i.status === 'starting' && !i.healthyAt)
      const ready = pickOf(starting, event)
      if (ready) world.change(ready.id, { healthyAt: at(world.now) })
      return
    }
    case 'crash':
      if (victim) world.change(victim.id, { presence: 'ended' })
      return
    case 'lost':
      if (victim) world.change(victim.id, { presence: 'absent' })
      return
    case 'deploy':
      if (desired) world.workload = { ...workload, desired: { ...desired, id: `rel-${++world.releases}` as ReleaseId } }
      return
    case 'fail':
      if (desired && workload.liveReleaseId !== desired.id)
        world.workload = { ...workload, failedReleaseId: desired.id }
      return
    case 'back': {
      const { failedReleaseId: _, ...rest } = workload
      if (desired && workload.liveReleaseId)
        world.workload = { ...rest, desired: { ...desired, id: workload.liveReleaseId } }
      return
    }
    case 'restart':
      world.workload = { ...workload, generation: workload.generation + 1 }
      return
    case 'up':
    case 'down': {
      const count = instanceCount(workload, type) + (event.kind === 'up' ? 1 : -1)
      world.workload = { ...workload, scale: { ...workload.scale, [type]: Math.max(0, Math.min(4, count)) } }
      return
    }
    case 'sick': {
      const ill = pickOf(world.of('web', 'healthy'), event)
      if (ill) world.change(ill.id, { failedChecks: defaultPolicy.failuresAllowed })
      return
    }
    case 'well':
      for (const i of world.instances) world.change(i.id, { failedChecks: 0 })
  }
}
