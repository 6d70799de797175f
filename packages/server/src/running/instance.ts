import type { Address, Observed } from '../engines/engine.ts'
import type { AppId, EnvironmentId, InstanceId, ReleaseId, TeamId } from '../kernel/ids.ts'

/**
 * `starting` until it is in service; an instance that passed its check has `healthyAt` and may wait for its siblings.
 * `healthy` and `unhealthy` are in service: a `web` instance of that status is a target of the route, and the status
 * changes in the transaction that changes the route. `draining` gets no new request. `stopping` is being ended.
 */
export type InstanceStatus = 'starting' | 'healthy' | 'unhealthy' | 'draining' | 'stopping' | 'ended'

export interface Instance {
  readonly id: InstanceId
  readonly teamId: TeamId
  readonly appId: AppId
  readonly environmentId: EnvironmentId
  readonly releaseId: ReleaseId
  readonly processType: string
  readonly slot: number
  readonly generation: number
  readonly status: InstanceStatus
  readonly address?: Address
  /** Crashes in a row in this slot up to and, once stopping or ended, including this instance. */
  readonly crashes: number
  /** Health checks in a row that it did not pass, in service. */
  readonly failedChecks: number
  readonly endReason?: string
  readonly createdAt: Date
  readonly startedAt?: Date
  readonly healthyAt?: Date
  readonly drainingAt?: Date
  readonly endedAt?: Date
  /** Routing revision that took it out of service: it stops only after every router has acknowledged it. */
  readonly drainRevision?: number
}

/** What the engine says of an instance; `absent`: it knows no such id. */
export type Presence = 'absent' | Observed['state']

export interface ObservedInstance extends Instance {
  readonly presence: Presence
  /** Requests that routers have open to it; `undefined`: not known. */
  readonly openRequests?: number
  /** Whether it has been asked at least once by whoever looks now: nobody is given up unasked. */
  readonly wasProbed?: boolean
}

export function isInService(instance: Instance): boolean {
  return instance.status === 'healthy' || instance.status === 'unhealthy'
}

/** `web.1`: how people and log lines call an instance. Slots count from 0. */
export function instanceName(instance: { readonly processType: string; readonly slot: number }): string {
  return `${instance.processType}.${instance.slot + 1}`
}
