import type { TeamScope } from '../access/index.ts'
import type { EnvironmentRow } from '../apps/index.ts'
import type { Queryable } from '../db/database.ts'
import { isId } from '../kernel/ids.ts'
import { parseReleaseName, type ReleaseRow } from './release.ts'
import { selectRelease, selectReleaseBefore, selectReleaseByVersion } from './release-store.ts'

/** A release of this environment, by id or by name (`v5`). */
export async function findReleaseOf(
  db: Queryable,
  scope: TeamScope,
  environment: EnvironmentRow,
  idOrName: string,
): Promise<ReleaseRow | undefined> {
  const version = parseReleaseName(idOrName)
  if (version !== undefined) return await selectReleaseByVersion(db, scope, environment.id, version)
  const release = isId('release', idOrName) ? await selectRelease(db, scope, idOrName) : undefined
  return release?.environmentId === environment.id ? release : undefined
}

/**
 * The release that "the one before" means: the newest one that has been live before what runs now first came. After a
 * rollback to v5 that is a release before v5, and not what the rollback took back.
 */
export async function findReleaseBefore(
  db: Queryable,
  scope: TeamScope,
  environment: EnvironmentRow,
): Promise<ReleaseRow | undefined> {
  let release = environment.liveReleaseId ? await selectRelease(db, scope, environment.liveReleaseId) : undefined
  while (release?.rollbackOf !== undefined) {
    const origin = await selectReleaseByVersion(db, scope, environment.id, release.rollbackOf)
    // its origin has been collected: whatever is older than that is what there is
    if (!origin) return await selectReleaseBefore(db, scope, environment.id, release.rollbackOf)
    release = origin
  }
  return release && (await selectReleaseBefore(db, scope, environment.id, release.version))
}
