import type { TeamScope } from '../access/index.ts'
import type { Queryable } from '../db/database.ts'
import type {
  AppId,
  BuildId,
  ConfigId,
  DeployId,
  EnvironmentId,
  PushId,
  ReleaseId,
  SourceId,
  TeamId,
} from '../kernel/ids.ts'
import type { DeployKind, DeployRow } from './deploy.ts'
import type { DeployStatus, HistoryEntry } from './deploy-state.ts'

export interface DeployRecord {
  id: DeployId
  team_id: TeamId
  app_id: AppId
  environment_id: EnvironmentId
  kind: DeployKind
  status: DeployStatus
  wait_reason: string | null
  commit_sha: string | null
  source_id: SourceId | null
  push_id: PushId | null
  build_id: BuildId | null
  release_id: ReleaseId | null
  previous_release_id: ReleaseId | null
  previous_config_id: ConfigId | null
  rollback_to: ReleaseId | null
  keep_config: boolean
  retry_of: DeployId | null
  superseded_by: DeployId | null
  error_code: string | null
  error_message: string | null
  cancel_requested_at: Date | null
  created_by: string
  created_at: Date
  updated_at: Date
  finished_at: Date | null
}

export const deployColumns = `d.id, d.team_id, d.app_id, d.environment_id, d.kind, d.status, d.wait_reason, d.commit_sha,
  d.source_id, d.push_id, d.build_id, d.release_id, d.previous_release_id, d.previous_config_id, d.rollback_to,
  d.keep_config, d.retry_of, d.superseded_by, d.error_code, d.error_message, d.cancel_requested_at, d.created_by,
  d.created_at, d.updated_at, d.finished_at`
/** Parameters 1 and 2 of every query: what the caller may see. */
const inScope = 'd.team_id = $1 and ($2::text is null or d.app_id = $2)'
const scopeOf = (scope: TeamScope) => [scope.team, scope.app ?? null]
/** As in the index `deploys_open`. */
const isOpen = "d.status not in ('live', 'failed', 'cancelled', 'superseded', 'rolled_back')"

export function toDeploy(row: DeployRecord): DeployRow {
  return {
    id: row.id,
    teamId: row.team_id,
    appId: row.app_id,
    environmentId: row.environment_id,
    kind: row.kind,
    status: row.status,
    keepConfig: row.keep_config,
    createdBy: row.created_by,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    ...references(row),
    ...(row.wait_reason !== null && { waitReason: row.wait_reason }),
    ...(row.error_code !== null && { errorCode: row.error_code }),
    ...(row.error_message !== null && { errorMessage: row.error_message }),
    ...(row.cancel_requested_at && { cancelRequestedAt: row.cancel_requested_at }),
    ...(row.finished_at && { finishedAt: row.finished_at }),
  }
}

function references(row: DeployRecord) {
  return {
    ...(row.commit_sha !== null && { commitSha: row.commit_sha }),
    ...(row.source_id !== null && { sourceId: row.source_id }),
    ...(row.push_id !== null && { pushId: row.push_id }),
    ...(row.build_id !== null && { buildId: row.build_id }),
    ...(row.release_id !== null && { releaseId: row.release_id }),
    ...(row.previous_release_id !== null && { previousReleaseId: row.previous_release_id }),
    ...(row.previous_config_id !== null && { previousConfigId: row.previous_config_id }),
    ...(row.rollback_to !== null && { rollbackTo: row.rollback_to }),
    ...(row.retry_of !== null && { retryOf: row.retry_of }),
    ...(row.superseded_by !== null && { supersededBy: row.superseded_by }),
  }
}

export async function insertDeploy(db: Queryable, scope: TeamScope, deploy: DeployRow): Promise<void> {
  await db.query(
    `insert into deploys (id, team_id, app_id, environment_id, kind, status, commit_sha, source_id, push_id, rollback_to,
       keep_config, retry_of, created_by, created_at, updated_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $14)`,
    [
      deploy.id,
      scope.team,
      deploy.appId,
      deploy.environmentId,
      deploy.kind,
      deploy.status,
      deploy.commitSha ?? null,
      deploy.sourceId ?? null,
      deploy.pushId ?? null,
      deploy.rollbackTo ?? null,
      deploy.keepConfig,
      deploy.retryOf ?? null,
      deploy.createdBy,
      deploy.createdAt,
    ],
  )
}

/** Writes what a transition changes, and tells whoever watches after the commit. */
export async function updateDeploy(db: Queryable, scope: TeamScope, deploy: DeployRow): Promise<void> {
  await db.query(
    `with saved as (
       update deploys d set status = $4, wait_reason = $5, build_id = $6, release_id = $7, previous_release_id = $8,
         previous_config_id = $9, superseded_by = $10, error_code = $11, error_message = $12, updated_at = $13,
         finished_at = $14
       where ${inScope} and d.id = $3 returning d.id)
     select pg_notify('deploys', id) from saved`,
    [
      ...scopeOf(scope),
      deploy.id,
      deploy.status,
      deploy.waitReason ?? null,
      deploy.buildId ?? null,
      deploy.releaseId ?? null,
      deploy.previousReleaseId ?? null,
      deploy.previousConfigId ?? null,
      deploy.supersededBy ?? null,
      deploy.errorCode ?? null,
      deploy.errorMessage ?? null,
      deploy.updatedAt,
      deploy.finishedAt ?? null,
    ],
  )
}

export async function insertHistory(
  db: Queryable,
  scope: TeamScope,
  deployId: DeployId,
  entry: Omit<HistoryEntry, 'from'> & { readonly from?: DeployStatus },
): Promise<void> {
  await db.query(
    `insert into deploy_events (deploy_id, team_id, at, from_status, to_status, message) values ($1, $2, $3, $4, $5, $6)`,
    [deployId, scope.team, entry.at, entry.from ?? null, entry.to, entry.message],
  )
}

export async function selectDeploy(db: Queryable, scope: TeamScope, id: string): Promise<DeployRow | undefined> {
  const rows = await db.query<DeployRecord>(`select ${deployColumns} from deploys d where ${inScope} and d.id = $3`, [
    ...scopeOf(scope),
    id,
  ])
  return rows[0] && toDeploy(rows[0])
}

/** The deploy that work is about: the work row names no team, the deploy's row does. */
export async function selectDeployForWork(db: Queryable, id: string): Promise<DeployRow | undefined> {
  const rows = await db.query<DeployRecord>(`select ${deployColumns} from deploys d where d.id = $1`, [id])
  return rows[0] && toDeploy(rows[0])
}

/** Every open deploy of an environment, oldest first, locked. The caller holds the environment's lock. */
export async function lockOpenDeploys(
  db: Queryable,
  scope: TeamScope,
  environmentId: EnvironmentId,
): Promise<readonly DeployRow[]> {
  const rows = await db.query<DeployRecord>(
    `select ${deployColumns} from deploys d where ${inScope} and d.environment_id = $3 and ${isOpen}
     order by d.created_at, d.id for no key update`,
    [...scopeOf(scope), environmentId],
  )
  return rows.map(toDeploy)
}

/** Open deploys that have a release. The running loop, which asks, knows environments of every team. */
export async function selectOpenDeployIds(db: Queryable, environmentId: EnvironmentId): Promise<readonly DeployId[]> {
  const rows = await db.query<{ id: DeployId }>(
    `select d.id from deploys d where d.environment_id = $1 and d.release_id is not null and ${isOpen}`,
    [environmentId],
  )
  return rows.map((row) => row.id)
}

export async function requestCancel(db: Queryable, scope: TeamScope, id: DeployId, at: Date): Promise<void> {
  await db.query(
    `with saved as (
       update deploys d set cancel_requested_at = coalesce(cancel_requested_at, $4) where ${inScope} and d.id = $3
       returning d.id)
     select pg_notify('deploys', id) from saved`,
    [...scopeOf(scope), id, at],
  )
}

/** How many builds run on this installation, with those of other teams: they share the machine. */
export async function countBuilding(db: Queryable): Promise<number> {
  // one at a time counts and begins, or two would both take the last place
  await db.query(`select pg_advisory_xact_lock(hashtext('gantry builds'))`)
  const rows = await db.query<{ count: number }>(
    `select count(*) as count from deploys d where d.status = 'building' and ${isOpen}`,
  )
  return rows[0]?.count ?? 0
}

/** The deploys that have waited longest for a build, of whatever team. */
export async function selectLongestQueued(db: Queryable, count: number): Promise<readonly DeployId[]> {
  const rows = await db.query<{ id: DeployId }>(
    `select d.id from deploys d where d.status = 'queued' and ${isOpen} order by d.created_at, d.id limit $1`,
    [count],
  )
  return rows.map((row) => row.id)
}

/** Whether this deploy took the place of a change of config that had not gone live, or of one that had taken such a place. */
export async function hasSupersededConfig(db: Queryable, scope: TeamScope, id: DeployId): Promise<boolean> {
  const rows = await db.query(
    `with recursive displaced as (
       select d.id, d.kind from deploys d where ${inScope} and d.superseded_by = $3
       union
       select d.id, d.kind from deploys d join displaced by on d.superseded_by = by.id where ${inScope})
     select 1 from displaced where kind = 'config' limit 1`,
    [...scopeOf(scope), id],
  )
  return rows.length > 0
}

/** Whether another deploy of the environment is over, had a release, and what it began outside the database may not have ended. */
export async function isOtherCleaningUp(db: Queryable, scope: TeamScope, deploy: DeployRow): Promise<boolean> {
  const rows = await db.query(
    `select 1 from deploys d join work w on w.kind = 'deploy' and w.subject = d.id
     where ${inScope} and d.environment_id = $3 and d.id <> $4 and d.release_id is not null and not (${isOpen}) limit 1`,
    [...scopeOf(scope), deploy.environmentId, deploy.id],
  )
  return rows.length > 0
}

/**
 * The highest fencing number that has been given out for work on this deploy; `undefined` when no work row is there. Not
 * locked: who takes over after this was read finds the row locked, or what has been written to it.
 */
export async function selectFence(db: Queryable, id: DeployId): Promise<number | undefined> {
  const rows = await db.query<{ fence: number | null }>(
    `select fence from work where kind = 'deploy' and subject = $1`,
    [id],
  )
  return rows[0]?.fence ?? undefined
}
