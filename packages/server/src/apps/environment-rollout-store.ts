import type { Queryable } from '../db/database.ts'
import type { AppId, EnvironmentId, ReleaseId, TeamId } from '../kernel/ids.ts'
import type { RolloutError } from './environment.ts'

/**
 * The environment's side of the running loop, which works on environments of every team and gets their ids from its own
 * work rows.
 */

/** False, and nothing changed, when the release is no longer the desired one. */
export async function markLive(db: Queryable, id: EnvironmentId, releaseId: ReleaseId): Promise<boolean> {
  const rows = await db.query(
    `update environments set live_release_id = $2, rollout_error = null
     where id = $1 and desired_release_id = $2 and deleted_at is null returning 1`,
    [id, releaseId],
  )
  return rows.length > 0
}

/** Nothing when the release is no longer desired, or live already. */
export async function markRolloutFailed(db: Queryable, id: EnvironmentId, error: RolloutError): Promise<void> {
  await db.query(
    `update environments set rollout_error = $3
     where id = $1 and desired_release_id = $2 and live_release_id is distinct from $2`,
    [id, error.releaseId, { release_id: error.releaseId, code: error.code, message: error.message }],
  )
}

/** Environments that something should or does run in: what has to be looked at after a restart. */
export async function selectOccupied(db: Queryable): Promise<readonly EnvironmentId[]> {
  const rows = await db.query<{ id: EnvironmentId }>(
    `select e.id from environments e where e.desired_release_id is not null or e.live_release_id is not null
       or exists (select 1 from instances i where i.environment_id = e.id and i.status <> 'ended')`,
  )
  return rows.map((row) => row.id)
}

export interface EnvironmentToRun {
  readonly id: EnvironmentId
  readonly teamId: TeamId
  readonly appId: AppId
  readonly appName: string
  readonly name: string
  readonly runUid: number
  readonly generation: number
  readonly scale: Readonly<Record<string, number>>
  readonly desiredReleaseId: ReleaseId | null
  readonly liveReleaseId: ReleaseId | null
  /** The release whose rollout is known to have failed. */
  readonly failedReleaseId: ReleaseId | null
}

/** Deleted environments included, which desire nothing. `undefined` once the row is gone. */
export async function selectEnvironmentToRun(db: Queryable, id: EnvironmentId): Promise<EnvironmentToRun | undefined> {
  const rows = await db.query<EnvironmentToRun>(
    `select e.id, e.team_id as "teamId", e.app_id as "appId", a.name as "appName", e.name, a.run_uid as "runUid",
       e.generation, e.scale, e.desired_release_id as "desiredReleaseId", e.live_release_id as "liveReleaseId",
       e.rollout_error ->> 'release_id' as "failedReleaseId"
     from environments e join apps a on a.id = e.app_id where e.id = $1`,
    [id],
  )
  return rows[0]
}

/** Forgets that anything is live: the last instance of an environment whose desired release is gone has been stopped. */
export async function clearLiveRelease(db: Queryable, id: EnvironmentId): Promise<void> {
  await db.query('update environments set live_release_id = null where id = $1 and desired_release_id is null', [id])
}
