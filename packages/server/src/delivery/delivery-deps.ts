import type { TeamScope } from '../access/index.ts'
import type { Apps, Site } from '../apps/index.ts'
import type { Builds } from '../builds/index.ts'
import type { Database, Queryable } from '../db/database.ts'
import type { Engine } from '../engines/engine.ts'
import type { Clock } from '../kernel/clock.ts'
import type { Failpoint } from '../kernel/failpoint.ts'
import type { AppId, EnvironmentId, NewId, RepositoryId } from '../kernel/ids.ts'
import type { Logger } from '../kernel/logger.ts'
import type { Logs } from '../logs/index.ts'
import type { Work } from '../work/work.ts'
import type { DeployWatch } from './deploy-watch.ts'
import type { DeliveryFailpoint } from './failpoints.ts'

export interface DeliveryDeps {
  readonly db: Database
  readonly clock: Clock
  readonly newId: NewId
  readonly work: Work
  readonly log: Logger
  readonly apps: Pick<Apps, 'readConfig'>
  readonly builds: Pick<Builds, 'create' | 'run' | 'cancel' | 'artifact' | 'take'>
  readonly sources: DeploySources
  readonly engine: Pick<Engine, 'startTask' | 'waitForTask' | 'stop' | 'forget'>
  readonly logs: Logs
  readonly rollouts: Rollouts
  readonly failpoint: Failpoint<DeliveryFailpoint>
  readonly site: Site
  readonly limits: DeliveryLimits
}

/** With what the room keeps for itself. */
export interface DeliveryRoom extends DeliveryDeps {
  readonly watch: DeployWatch
}

/** What can be deployed: answered by the room that keeps the repositories. */
export interface DeploySources {
  /** An uploaded source; `undefined` for foreign and missing ones. */
  find(
    db: Queryable,
    scope: TeamScope,
    sourceId: string,
  ): Promise<{ readonly appId: AppId; readonly commitSha: string } | undefined>
  hasCommit(repositoryId: RepositoryId, commitSha: string): Promise<boolean>
}

/** The running loop, as far as a deploy waits for it. */
export interface Rollouts {
  /** What is desired has changed. A hint: the work row is the truth. */
  wake(environmentId: EnvironmentId): void
  /** Resolves when every router with a live lease has acknowledged the environment's route as it stands. */
  acknowledged(environmentId: EnvironmentId, signal: AbortSignal): Promise<void>
}

export interface DeliveryLimits {
  /** Builds at once on this installation. */
  readonly builds: number
  readonly releasePhaseMs: number
  /** Bytes of output after which a release phase is stopped. */
  readonly releasePhaseBytes: number
  /** How often a stage that throws is begun again before the deploy fails as interrupted. */
  readonly attempts: number
}

export const defaultDeliveryLimits: DeliveryLimits = {
  builds: 2,
  releasePhaseMs: 15 * 60_000,
  releasePhaseBytes: 50 * 1024 * 1024,
  attempts: 8,
}
