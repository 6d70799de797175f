import type { TeamScope } from '../access/index.ts'
import type { Queryable } from '../db/database.ts'
import { type Page, type PageRequest, queryPage } from '../db/keyset-page.ts'
import type { AppId, ArtifactId, ConfigId, EnvironmentId, ReleaseId, TeamId } from '../kernel/ids.ts'
import type { ProcessTypes, ReleaseReason, ReleaseRow } from './release.ts'

interface ReleaseRecord {
  id: ReleaseId
  team_id: TeamId
  app_id: AppId
  environment_id: EnvironmentId
  version: number
  artifact_id: ArtifactId
  config_id: ConfigId | null
  process_types: ProcessTypes
  commit_sha: string | null
  rollback_of: number | null
  reason: ReleaseReason
  created_by: string
  created_at: Date
}

const columns = `r.id, r.team_id, r.app_id, r.environment_id, r.version, r.artifact_id, r.config_id, r.process_types,
  r.commit_sha, r.rollback_of, r.reason, r.created_by, r.created_at`
/** Parameters 1 and 2 of every query: what the caller may see. */
const inScope = 'r.team_id = $1 and ($2::text is null or r.app_id = $2)'
const scopeOf = (scope: TeamScope) => [scope.team, scope.app ?? null]

function toRelease(row: ReleaseRecord): ReleaseRow {
  return {
    id: row.id,
    teamId: row.team_id,
    appId: row.app_id,
    environmentId: row.environment_id,
    version: row.version,
    artifactId: row.artifact_id,
    processTypes: row.process_types,
    reason: row.reason,
    createdBy: row.created_by,
    createdAt: row.created_at,
    ...(row.config_id !== null && { configId: row.config_id }),
    ...(row.commit_sha !== null && { commitSha: row.commit_sha }),
    ...(row.rollback_of !== null && { rollbackOf: row.rollback_of }),
  }
}

export async function insertRelease(db: Queryable, scope: TeamScope, row: ReleaseRow): Promise<void> {
  await db.query(
    `insert into releases (id, team_id, app_id, environment_id, version, artifact_id, config_id, process_types,
       commit_sha, rollback_of, reason, created_by, created_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
    [
      row.id,
      scope.team,
      row.appId,
      row.environmentId,
      row.version,
      row.artifactId,
      row.configId ?? null,
      row.processTypes,
      row.commitSha ?? null,
      row.rollbackOf ?? null,
      row.reason,
      row.createdBy,
      row.createdAt,
    ],
  )
}

export async function selectRelease(db: Queryable, scope: TeamScope, id: ReleaseId): Promise<ReleaseRow | undefined> {
  const rows = await db.query<ReleaseRecord>(`select ${columns} from releases r where ${inScope} and r.id = $3`, [
    ...scopeOf(scope),
    id,
  ])
  return rows[0] && toRelease(rows[0])
}

export async function selectReleaseByVersion(
  db: Queryable,
  scope: TeamScope,
  environmentId: EnvironmentId,
  version: number,
): Promise<ReleaseRow | undefined> {
  const rows = await db.query<ReleaseRecord>(
    `select ${columns} from releases r where ${inScope} and r.environment_id = $3 and r.version = $4`,
    [...scopeOf(scope), environmentId, version],
  )
  return rows[0] && toRelease(rows[0])
}

/** The newest release below `version` that has been live. */
export async function selectReleaseBefore(
  db: Queryable,
  scope: TeamScope,
  environmentId: EnvironmentId,
  version: number,
): Promise<ReleaseRow | undefined> {
  const rows = await db.query<ReleaseRecord>(
    `select ${columns} from releases r where ${inScope} and r.environment_id = $3 and r.version < $4
       and exists (select 1 from deploys d where d.release_id = r.id and d.status in ('live', 'rolled_back'))
     order by r.version desc limit 1`,
    [...scopeOf(scope), environmentId, version],
  )
  return rows[0] && toRelease(rows[0])
}

/** A release with what its view refers to. */
export interface ShownRelease extends ReleaseRow {
  readonly appName: string
  readonly environmentName: string
  readonly artifactDigest: string
  readonly isLive: boolean
  readonly rollbackOfId?: ReleaseId
}

interface ShownRecord extends ReleaseRecord {
  app_name: string
  environment_name: string
  digest: string
  is_live: boolean
  rollback_of_id: ReleaseId | null
}

const shown = `select ${columns}, a.name as app_name, e.name as environment_name, f.digest,
    e.live_release_id is not distinct from r.id as is_live, o.id as rollback_of_id
  from releases r join environments e on e.id = r.environment_id join apps a on a.id = r.app_id
  join artifacts f on f.id = r.artifact_id
  left join releases o on o.environment_id = r.environment_id and o.version = r.rollback_of
  where ${inScope} and e.deleted_at is null`

function toShown(row: ShownRecord): ShownRelease {
  return {
    ...toRelease(row),
    appName: row.app_name,
    environmentName: row.environment_name,
    artifactDigest: row.digest,
    isLive: row.is_live,
    ...(row.rollback_of_id !== null && { rollbackOfId: row.rollback_of_id }),
  }
}

export async function selectShownRelease(
  db: Queryable,
  scope: TeamScope,
  id: string,
): Promise<ShownRelease | undefined> {
  const rows = await db.query<ShownRecord>(`${shown} and r.id = $3`, [...scopeOf(scope), id])
  return rows[0] && toShown(rows[0])
}

export interface ReleaseFilters {
  readonly appId?: AppId | undefined
  readonly environmentId?: EnvironmentId | undefined
}

export async function selectShownReleases(
  db: Queryable,
  scope: TeamScope,
  filters: ReleaseFilters,
  page: PageRequest,
): Promise<Page<ShownRelease>> {
  const parameters: unknown[] = scopeOf(scope)
  let sql = shown
  if (filters.appId) sql += ` and r.app_id = $${parameters.push(filters.appId)}`
  if (filters.environmentId) sql += ` and r.environment_id = $${parameters.push(filters.environmentId)}`
  const bound = { app_id: filters.appId, environment_id: filters.environmentId }
  const found = await queryPage<ShownRecord>(db, { sql, parameters, alias: 'r', page, filters: bound })
  return { ...found, rows: found.rows.map(toShown) }
}
