import type { TeamScope } from '../access/index.ts'
import type { Transaction } from '../db/database.ts'
import type { BuildId, ConfigId, DeployId, EnvironmentId, RepositoryId } from '../kernel/ids.ts'
import type { AppRow } from './app.ts'
import type { EnvironmentRow } from './environment.ts'

/** Where an app's pushes go. Answered by the room that keeps the repositories. */
export interface RepositoryFolder {
  /** Makes the repository's folder; nothing when it is there. */
  create(id: RepositoryId): Promise<void>
}

/** Told, in the same transaction, that an environment's config has a new version. Answered by delivery. */
export interface ConfigChanged {
  /** Begins a deploy when there is a release to begin it from. */
  configChanged(tx: Transaction, scope: TeamScope, change: ConfigChange): Promise<DeployId | undefined>
}

export interface ConfigChange {
  readonly environmentId: EnvironmentId
  readonly configId: ConfigId
  readonly createdBy: string
}

/** Told, in the same transaction, before an environment is marked as deleted: open deploys end. Answered by delivery. */
export interface EnvironmentDeleted {
  environmentDeleted(tx: Transaction, scope: TeamScope, environment: EnvironmentRow): Promise<void>
}

/** The routers, as far as taking down an environment waits for them. Answered by the room that keeps the routes. */
export interface RouteAcknowledgements {
  /** Resolves when every router with a live lease has acknowledged the environment's route as it stands. */
  acknowledged(environmentId: EnvironmentId, signal: AbortSignal): Promise<void>
}

/**
 * Removes what is kept outside the database. Called when nothing of it runs any more, and again after a crash: what is
 * gone already succeeds. Answered by the rooms that keep it.
 */
export interface Remains {
  /** Output of the environment's instances, its builds and deploys. */
  removeEnvironment(environment: EnvironmentRemains): Promise<void>
  /** Output, artifacts and layers of the app; with `repository` also the folder of its repository. */
  removeApp(app: AppRow, options: { readonly repository: boolean }): Promise<void>
}

export interface EnvironmentRemains {
  readonly id: EnvironmentId
  readonly appId: AppRow['id']
  readonly buildIds: readonly BuildId[]
  readonly deployIds: readonly DeployId[]
}

/** Values at rest: encrypted, and bound to the place they stand in. `access/secret-box.ts`. */
export interface Secrets {
  seal(plain: string, context: SecretContext): Uint8Array
  open(ciphertext: Uint8Array, context: SecretContext): string
}

export interface SecretContext {
  readonly environmentId: string
  readonly name: string
}
