import type { TeamScope } from '../access/index.ts'
import type { Queryable } from '../db/database.ts'
import { type Page, type PageRequest, queryPage } from '../db/keyset-page.ts'
import { type AppId, type ConfigId, type EnvironmentId, isId, type ReleaseId, type TeamId } from '../kernel/ids.ts'
import { type EnvironmentRow, parseLabel } from './environment.ts'

interface EnvironmentRecord {
  id: EnvironmentId
  team_id: TeamId
  app_id: AppId
  app_name: string
  name: string
  scale: Record<string, number>
  config_id: ConfigId | null
  build_config_id: ConfigId | null
  desired_release_id: ReleaseId | null
  live_release_id: ReleaseId | null
  last_release_version: number
  generation: number
  rollout_error: { release_id: ReleaseId; code: string; message: string } | null
  created_at: Date
  updated_at: Date
}

const columns = `e.id, e.team_id, e.app_id, a.name as app_name, e.name, e.scale, e.config_id, e.build_config_id,
  e.desired_release_id, e.live_release_id, e.last_release_version, e.generation, e.rollout_error, e.created_at, e.updated_at`
const tables = 'environments e join apps a on a.id = e.app_id'
/** Parameters 1 and 2 of every query: what the caller may see. */
const inScope = 'e.team_id = $1 and ($2::text is null or e.app_id = $2) and e.deleted_at is null'
const scopeOf = (scope: TeamScope) => [scope.team, scope.app ?? null]

function toEnvironment(row: EnvironmentRecord): EnvironmentRow {
  const error = row.rollout_error
  return {
    id: row.id,
    teamId: row.team_id,
    appId: row.app_id,
    appName: row.app_name,
    name: row.name,
    scale: row.scale,
    lastReleaseVersion: row.last_release_version,
    generation: row.generation,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    ...(row.config_id && { configId: row.config_id }),
    ...(row.build_config_id && { buildConfigId: row.build_config_id }),
    ...(row.desired_release_id && { desiredReleaseId: row.desired_release_id }),
    ...(row.live_release_id && { liveReleaseId: row.live_release_id }),
    ...(error && { rolloutError: { releaseId: error.release_id, code: error.code, message: error.message } }),
  }
}

export interface NewEnvironment {
  readonly id: EnvironmentId
  readonly appId: AppId
  readonly name: string
  readonly at: Date
}

/** False when the app has an environment of this name. */
export async function insertEnvironment(db: Queryable, scope: TeamScope, row: NewEnvironment): Promise<boolean> {
  const rows = await db.query(
    `insert into environments (id, team_id, app_id, name, created_at, updated_at) values ($1, $2, $3, $4, $5, $5)
     on conflict (app_id, name) where deleted_at is null do nothing returning 1`,
    [row.id, scope.team, row.appId, row.name, row.at],
  )
  return rows.length > 0
}

/** By id, or by label: `hello` is production of hello, `staging--hello` its staging. */
export async function selectEnvironment(
  db: Queryable,
  scope: TeamScope,
  idOrLabel: string,
): Promise<EnvironmentRow | undefined> {
  const isById = isId('environment', idOrLabel)
  const { appName, environmentName } = parseLabel(idOrLabel)
  const rows = await db.query<EnvironmentRecord>(
    `select ${columns} from ${tables} where ${inScope} and a.deleted_at is null and
       ${isById ? 'e.id = $3' : 'a.name = $3 and e.name = $4'}`,
    [...scopeOf(scope), ...(isById ? [idOrLabel] : [appName, environmentName])],
  )
  return rows[0] && toEnvironment(rows[0])
}

export async function selectEnvironmentByName(
  db: Queryable,
  scope: TeamScope,
  appId: AppId,
  name: string,
): Promise<EnvironmentRow | undefined> {
  const rows = await db.query<EnvironmentRecord>(
    `select ${columns} from ${tables} where ${inScope} and e.app_id = $3 and e.name = $4`,
    [...scopeOf(scope), appId, name],
  )
  return rows[0] && toEnvironment(rows[0])
}

/**
 * Locks the row until the transaction ends. Everything that decides what an environment runs takes this lock first, and
 * a deploy's row only after it.
 */
export async function selectEnvironmentForUpdate(
  db: Queryable,
  scope: TeamScope,
  id: EnvironmentId,
): Promise<EnvironmentRow | undefined> {
  const rows = await db.query<EnvironmentRecord>(
    `select ${columns} from ${tables} where ${inScope} and e.id = $3 for no key update of e`,
    [...scopeOf(scope), id],
  )
  return rows[0] && toEnvironment(rows[0])
}

export async function selectEnvironments(
  db: Queryable,
  scope: TeamScope,
  filters: { readonly appId?: AppId | undefined },
  page: PageRequest,
): Promise<Page<EnvironmentRow>> {
  const parameters: unknown[] = scopeOf(scope)
  let sql = `select ${columns} from ${tables} where ${inScope} and a.deleted_at is null`
  if (filters.appId) sql += ` and e.app_id = $${parameters.push(filters.appId)}`
  const bound = { app_id: filters.appId }
  const found = await queryPage<EnvironmentRecord>(db, { sql, parameters, alias: 'e', page, filters: bound })
  return { ...found, rows: found.rows.map(toEnvironment) }
}

export async function selectEnvironmentsOfApp(
  db: Queryable,
  scope: TeamScope,
  appId: AppId,
): Promise<readonly EnvironmentRow[]> {
  const rows = await db.query<EnvironmentRecord>(
    `select ${columns} from ${tables} where ${inScope} and e.app_id = $3 order by e.id for no key update of e`,
    [...scopeOf(scope), appId],
  )
  return rows.map(toEnvironment)
}

export async function updateScale(
  db: Queryable,
  scope: TeamScope,
  id: EnvironmentId,
  change: { readonly scale: Readonly<Record<string, number>>; readonly at: Date },
): Promise<void> {
  await db.query(`update environments e set scale = $4, updated_at = $5 where ${inScope} and e.id = $3`, [
    ...scopeOf(scope),
    id,
    change.scale,
    change.at,
  ])
}

export async function raiseGeneration(db: Queryable, scope: TeamScope, id: EnvironmentId, at: Date): Promise<void> {
  await db.query(
    `update environments e set generation = generation + 1, updated_at = $4 where ${inScope} and e.id = $3`,
    [...scopeOf(scope), id, at],
  )
}

/** What the running loop works towards from now on; what was wrong with the one before is forgotten. */
export async function updateDesiredRelease(
  db: Queryable,
  scope: TeamScope,
  id: EnvironmentId,
  change: { readonly releaseId: ReleaseId | undefined; readonly at: Date },
): Promise<void> {
  await db.query(
    `update environments e set desired_release_id = $4, rollout_error = null, updated_at = $5
     where ${inScope} and e.id = $3`,
    [...scopeOf(scope), id, change.releaseId ?? null, change.at],
  )
}

export async function updateCurrentConfig(
  db: Queryable,
  scope: TeamScope,
  id: EnvironmentId,
  change: { readonly kind: 'run' | 'build'; readonly configId: ConfigId | undefined; readonly at: Date },
): Promise<void> {
  const column = change.kind === 'run' ? 'config_id' : 'build_config_id'
  await db.query(`update environments e set ${column} = $4, updated_at = $5 where ${inScope} and e.id = $3`, [
    ...scopeOf(scope),
    id,
    change.configId ?? null,
    change.at,
  ])
}

/** The next number of a release. The caller holds the row's lock. */
export async function takeReleaseVersion(db: Queryable, scope: TeamScope, id: EnvironmentId): Promise<number> {
  const rows = await db.query<{ version: number }>(
    `update environments e set last_release_version = last_release_version + 1 where ${inScope} and e.id = $3
     returning last_release_version as version`,
    [...scopeOf(scope), id],
  )
  if (!rows[0]) throw new Error(`environment ${id} is gone`)
  return rows[0].version
}

export async function markEnvironmentDeleted(
  db: Queryable,
  scope: TeamScope,
  id: EnvironmentId,
  at: Date,
): Promise<void> {
  await db.query(
    `update environments e set deleted_at = $4, desired_release_id = null, rollout_error = null
     where ${inScope} and e.id = $3`,
    [...scopeOf(scope), id, at],
  )
}
