import type { TeamScope } from '../access/index.ts'
import { instanceCount as countInScale } from '../apps/index.ts'
import type { Transaction } from '../db/database.ts'
import type { ArtifactRef } from '../engines/engine.ts'
import type { AppId, ConfigId, EnvironmentId, ReleaseId } from '../kernel/ids.ts'

/** What should run in one environment, as the running loop reads it: the facts of earlier rooms, joined. */
export interface Workload {
  readonly scope: TeamScope
  readonly appId: AppId
  readonly appName: string
  readonly environmentId: EnvironmentId
  readonly environmentName: string
  readonly hosts: readonly string[]
  readonly runUid: number
  readonly generation: number
  /** Instances by process type, as set; `instanceCount` has the defaults. */
  readonly scale: Readonly<Record<string, number>>
  /** Absent: nothing should run here (no release yet, or being deleted). */
  readonly desired?: WorkloadRelease
  readonly liveReleaseId?: ReleaseId
  /** What is live while another release is desired: it goes on until that one has come up. */
  readonly live?: WorkloadRelease
  /** The release whose rollout is known to have failed; none of it is started any more. */
  readonly failedReleaseId?: ReleaseId
}

export interface WorkloadRelease {
  readonly id: ReleaseId
  readonly version: number
  readonly commitSha?: string
  readonly configId?: ConfigId
  readonly artifact: ArtifactRef
  readonly runEnv: Readonly<Record<string, string>>
  readonly processTypes: Readonly<Record<string, ProcessType>>
}

export interface ProcessType {
  readonly command: string
  readonly overlap: boolean
}

/** The environment's side of the running loop, answered by the rooms that own those rows. */
export interface Environments {
  /** `undefined` once the environment is gone. `before`: what was loaded last, whose release need not be read again. */
  load(environmentId: EnvironmentId, before?: Workload): Promise<Workload | undefined>
  /** The host name at which an environment answers. */
  host(appName: string, environmentName: string): string
  /** Values of a release's config, bindings resolved. */
  config(workload: Workload, configId: ConfigId): Promise<Readonly<Record<string, string>>>
  /** False, and nothing changed, when the release is no longer the desired one. */
  markLive(tx: Transaction, environmentId: EnvironmentId, releaseId: ReleaseId): Promise<boolean>
  /** Records why the desired release does not come up; nothing when it is no longer desired or already live. */
  markRolloutFailed(tx: Transaction, environmentId: EnvironmentId, failure: RolloutFailure): Promise<void>
  /** Nothing is live any more, when nothing is desired either. */
  clearLive(tx: Transaction, environmentId: EnvironmentId): Promise<void>
  /** Environments that something should or does run in: what has to be looked at after a restart. */
  occupied(): Promise<readonly EnvironmentId[]>
}

export interface RolloutFailure {
  readonly releaseId: ReleaseId
  readonly code: 'health_check_timeout' | 'instance_exited' | 'wrong_port' | 'wrong_interface'
  readonly message: string
}

/** How many instances of a process type there should be, as the environment's scale and its defaults have it. */
export function instanceCount({ scale }: Workload, processType: string): number {
  return countInScale(scale, processType)
}
