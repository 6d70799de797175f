import type { Database, Transaction } from '../db/database.ts'
import type { Address, Engine } from '../engines/engine.ts'
import type { Clock } from '../kernel/clock.ts'
import type { Failpoint } from '../kernel/failpoint.ts'
import type { EnvironmentId, NewId } from '../kernel/ids.ts'
import type { Logger } from '../kernel/logger.ts'
import type { Logs } from '../logs/index.ts'
import type { Routing } from '../routing/index.ts'
import type { Work } from '../work/work.ts'
import type { RunningFailpoint } from './failpoints.ts'
import { instanceName } from './instance.ts'
import type { RolloutPolicy } from './plan-steps.ts'
import type { Environments } from './workload.ts'

/** Told, in the same transaction, that the live release changed or that a rollout failed. */
export interface RolloutListener {
  rolloutChanged(tx: Transaction, environmentId: EnvironmentId): Promise<void>
}

/** Asks an instance whether it is well. Resolves in every case; rejects only when aborted. */
export type Probe = (address: Address, host: string, signal: AbortSignal) => Promise<ProbeResult>

export type ProbeResult =
  /** `reached`: the address as it answered, which the routers must use. */
  | { readonly kind: 'healthy'; readonly reached: Address }
  | { readonly kind: 'refused' }
  | { readonly kind: 'unhealthy'; readonly message: string }

export interface RunningDeps {
  readonly db: Database
  readonly engine: Engine
  readonly environments: Environments
  readonly routing: Pick<Routing, 'setRoute' | 'removeRoute' | 'acknowledged' | 'openRequests'>
  readonly rollouts: RolloutListener
  readonly work: Work
  readonly logs: Pick<Logs, 'append' | 'last'>
  readonly clock: Clock
  readonly newId: NewId
  /** A number from 0 (inclusive) to 1. */
  readonly random: () => number
  readonly probe: Probe
  /** Whether nothing on this machine listens on the port. */
  readonly isPortFree: (port: number) => Promise<boolean>
  readonly policy: RolloutPolicy
  readonly failpoint: Failpoint<RunningFailpoint>
  readonly log: Logger
  /** Bytes of output kept per app. */
  readonly maxLogBytes: number
}

/**
 * The mark of an instance's lines: `web.1.v5`. With the release, because old and new instances of a slot write side by side
 * while a release rolls out.
 */
export function outputSource(
  instance: { readonly processType: string; readonly slot: number },
  version: number,
): string {
  return `${instanceName(instance)}.v${version}`
}

/** Where an environment's instances write. */
export function outputStream(appId: string, environmentId: string): string {
  return `app/${appId}/${environmentId}`
}
