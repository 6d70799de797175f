import type { BuildStatus, ErrorCode } from '@gantry/api'
import type { TeamScope } from '../access/index.ts'
import type { Queryable } from '../db/database.ts'
import { type Page, type PageRequest, queryPage } from '../db/keyset-page.ts'
import type { AppId, ArtifactId, BuildId, EnvironmentId, TeamId } from '../kernel/ids.ts'
import type { BuildRow } from './build.ts'

interface Row {
  id: string
  team_id: string
  app_id: string
  app_name: string
  environment_id: string
  environment_name: string
  commit_sha: string
  status: BuildStatus
  builder: string | null
  artifact_id: string | null
  artifact_digest: string | null
  error_code: string | null
  error_message: string | null
  created_at: Date
  started_at: Date | null
  finished_at: Date | null
}

const select = `
  select b.*, a.name as app_name, e.name as environment_name, t.digest as artifact_digest
  from builds b join apps a on a.id = b.app_id join environments e on e.id = b.environment_id
    left join artifacts t on t.id = b.artifact_id
  where b.team_id = $1 and ($2::text is null or b.app_id = $2)`

function toBuild(row: Row): BuildRow {
  return {
    id: row.id as BuildId,
    teamId: row.team_id as TeamId,
    appId: row.app_id as AppId,
    appName: row.app_name,
    environmentId: row.environment_id as EnvironmentId,
    environmentName: row.environment_name,
    commitSha: row.commit_sha,
    status: row.status,
    createdAt: row.created_at,
    ...(row.builder !== null && { builder: row.builder }),
    ...(row.artifact_id !== null && { artifactId: row.artifact_id as ArtifactId }),
    ...(row.artifact_digest !== null && { artifactDigest: row.artifact_digest }),
    ...(row.error_code !== null && { error: { code: row.error_code as ErrorCode, message: row.error_message ?? '' } }),
    ...(row.started_at && { startedAt: row.started_at }),
    ...(row.finished_at && { finishedAt: row.finished_at }),
  }
}

export interface NewBuild {
  readonly id: BuildId
  readonly appId: AppId
  readonly environmentId: EnvironmentId
  readonly commitSha: string
  readonly createdAt: Date
}

export async function insertBuild(db: Queryable, scope: TeamScope, build: NewBuild): Promise<void> {
  await db.query(
    `insert into builds (id, team_id, app_id, environment_id, commit_sha, status, created_at)
     values ($1, $2, $3, $4, $5, 'queued', $6)`,
    [build.id, scope.team, build.appId, build.environmentId, build.commitSha, build.createdAt],
  )
}

export async function findBuild(db: Queryable, scope: TeamScope, id: string): Promise<BuildRow | undefined> {
  const [row] = await db.query<Row>(`${select} and b.id = $3`, [scope.team, scope.app ?? null, id])
  return row && toBuild(row)
}

export interface BuildFilter {
  readonly appId?: AppId | undefined
  readonly environmentId?: EnvironmentId | undefined
  readonly status?: BuildStatus | undefined
}

export async function listBuilds(
  db: Queryable,
  scope: TeamScope,
  filter: BuildFilter,
  page: PageRequest,
): Promise<Page<BuildRow>> {
  const { appId, environmentId, status } = filter
  const parameters: unknown[] = [scope.team, scope.app ?? null]
  let sql = select
  for (const [column, value] of Object.entries({ app_id: appId, environment_id: environmentId, status })) {
    if (value === undefined) continue
    parameters.push(value)
    sql += ` and b.${column} = $${parameters.length}`
  }
  const filters = { app: appId, environment: environmentId, status }
  const { rows, next } = await queryPage<Row>(db, { sql, parameters, alias: 'b', page, filters })
  return { rows: rows.map(toBuild), ...(next !== undefined && { next }) }
}

/** Marks a queued build as begun; one that has begun keeps its time. Says nothing about builds that are over. */
export async function markBuilding(db: Queryable, scope: TeamScope, id: BuildId, now: Date): Promise<void> {
  await db.query(
    `update builds set status = 'building', started_at = $3
     where team_id = $1 and id = $2 and status = 'queued'`,
    [scope.team, id, now],
  )
}

export async function markBuilder(db: Queryable, scope: TeamScope, id: BuildId, builder: string): Promise<void> {
  await db.query('update builds set builder = $3 where team_id = $1 and id = $2', [scope.team, id, builder])
}

export type BuildEnd =
  | { readonly status: 'succeeded'; readonly artifactId: ArtifactId }
  | { readonly status: 'failed' | 'cancelled'; readonly code: ErrorCode; readonly message: string }

/** Ends a build that has not ended. False, and nothing changed, when it has. */
export async function endBuild(
  db: Queryable,
  scope: TeamScope,
  build: { readonly id: BuildId; readonly now: Date },
  end: BuildEnd,
): Promise<boolean> {
  const [artifactId, code, message] =
    end.status === 'succeeded' ? [end.artifactId, null, null] : [null, end.code, end.message]
  const rows = await db.query(
    `update builds set status = $3, artifact_id = $4, error_code = $5, error_message = $6, finished_at = $7,
       started_at = coalesce(started_at, $7)
     where team_id = $1 and id = $2 and status in ('queued', 'building') returning id`,
    [scope.team, build.id, end.status, artifactId, code, message, build.now],
  )
  return rows.length > 0
}

/** Builds of an app that are over and whose log is still there, newest first. */
export async function buildsWithLogs(
  db: Queryable,
  scope: TeamScope,
  appId: AppId,
): Promise<{ id: BuildId; status: BuildStatus; artifactId?: ArtifactId; finishedAt: Date }[]> {
  const rows = await db.query<Pick<Row, 'id' | 'status' | 'artifact_id'> & { finished_at: Date }>(
    `select id, status, artifact_id, finished_at from builds
     where team_id = $1 and app_id = $2 and log_removed_at is null and status in ('succeeded', 'failed', 'cancelled')
     order by created_at desc, id desc`,
    [scope.team, appId],
  )
  return rows.map((row) => ({
    id: row.id as BuildId,
    status: row.status,
    finishedAt: row.finished_at,
    ...(row.artifact_id !== null && { artifactId: row.artifact_id as ArtifactId }),
  }))
}

export async function markLogRemoved(db: Queryable, scope: TeamScope, id: BuildId, now: Date): Promise<void> {
  await db.query('update builds set log_removed_at = $3 where team_id = $1 and id = $2', [scope.team, id, now])
}

/** Of these ids, of any team, those of builds that may still go on. The platform's clean-up finds ids in folders' names. */
export async function openBuilds(db: Queryable, ids: readonly string[]): Promise<ReadonlySet<string>> {
  const rows = await db.query<{ id: string }>(
    `select id from builds where id = any($1) and status in ('queued', 'building')`,
    [ids],
  )
  return new Set(rows.map((row) => row.id))
}

/** The team of an app, deleted or not, as builds know it. For the platform's own loop only. */
export async function teamOfApp(db: Queryable, appId: AppId): Promise<TeamId | undefined> {
  const [row] = await db.query<{ team_id: string }>(
    `select team_id from apps where id = $1 union select team_id from build_folders where app_id = $1 limit 1`,
    [appId],
  )
  return row && (row.team_id as TeamId)
}
