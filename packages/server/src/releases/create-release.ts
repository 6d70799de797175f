import type { TeamScope } from '../access/index.ts'
import { type EnvironmentRow, takeReleaseVersion } from '../apps/index.ts'
import type { Transaction } from '../db/database.ts'
import type { Clock } from '../kernel/clock.ts'
import type { ArtifactId, ConfigId, NewId } from '../kernel/ids.ts'
import type { ProcessTypes, ReleaseReason, ReleaseRow } from './release.ts'
import { insertRelease } from './release-store.ts'

export interface ReleasePrototype {
  /** Locked by the caller (`lockEnvironment`): versions have no gaps and are in the order of commits. */
  readonly environment: EnvironmentRow
  readonly artifactId: ArtifactId
  readonly configId?: ConfigId | undefined
  readonly processTypes: ProcessTypes
  readonly commitSha?: string | undefined
  readonly rollbackOf?: number | undefined
  readonly reason: ReleaseReason
  readonly createdBy: string
}

/** Makes the next release of an environment, in the caller's transaction. */
export async function createRelease(
  deps: { readonly newId: NewId; readonly clock: Clock },
  tx: Transaction,
  scope: TeamScope,
  prototype: ReleasePrototype,
): Promise<ReleaseRow> {
  const { environment, configId, commitSha, rollbackOf, ...rest } = prototype
  const release: ReleaseRow = {
    ...rest,
    id: deps.newId('release'),
    teamId: environment.teamId,
    appId: environment.appId,
    environmentId: environment.id,
    version: await takeReleaseVersion(tx, scope, environment.id),
    createdAt: deps.clock.now(),
    ...(configId && { configId }),
    ...(commitSha && { commitSha }),
    ...(rollbackOf !== undefined && { rollbackOf }),
  }
  await insertRelease(tx, scope, release)
  return release
}
