import type { TeamScope } from '../access/index.ts'
import type { Queryable } from '../db/database.ts'
import { type Page, type PageRequest, queryPage } from '../db/keyset-page.ts'
import type { AppId, DeployId, EnvironmentId } from '../kernel/ids.ts'
import type { DeployRow } from './deploy.ts'
import type { DeployStatus } from './deploy-state.ts'
import { type DeployRecord, deployColumns, toDeploy } from './deploy-store.ts'

/** A deploy with what its view refers to. */
export interface ShownDeploy extends DeployRow {
  readonly appName: string
  readonly environmentName: string
  readonly releaseVersion?: number
  readonly rollbackVersion?: number
}

interface ShownRecord extends DeployRecord {
  app_name: string
  environment_name: string
  release_version: number | null
  rollback_version: number | null
}

const shown = `select ${deployColumns}, a.name as app_name, e.name as environment_name, r.version as release_version,
    b.version as rollback_version
  from deploys d join environments e on e.id = d.environment_id join apps a on a.id = d.app_id
  left join releases r on r.id = d.release_id left join releases b on b.id = d.rollback_to
  where d.team_id = $1 and ($2::text is null or d.app_id = $2) and e.deleted_at is null`
const scopeOf = (scope: TeamScope) => [scope.team, scope.app ?? null]

function toShown(row: ShownRecord): ShownDeploy {
  return {
    ...toDeploy(row),
    appName: row.app_name,
    environmentName: row.environment_name,
    ...(row.release_version !== null && { releaseVersion: row.release_version }),
    ...(row.rollback_version !== null && { rollbackVersion: row.rollback_version }),
  }
}

export async function selectShownDeploy(db: Queryable, scope: TeamScope, id: string): Promise<ShownDeploy | undefined> {
  const rows = await db.query<ShownRecord>(`${shown} and d.id = $3`, [...scopeOf(scope), id])
  return rows[0] && toShown(rows[0])
}

export interface DeployFilters {
  readonly appId?: AppId | undefined
  readonly environmentId?: EnvironmentId | undefined
  readonly status?: DeployStatus | undefined
}

export async function selectShownDeploys(
  db: Queryable,
  scope: TeamScope,
  filters: DeployFilters,
  page: PageRequest,
): Promise<Page<ShownDeploy>> {
  const parameters: unknown[] = scopeOf(scope)
  let sql = shown
  if (filters.appId) sql += ` and d.app_id = $${parameters.push(filters.appId)}`
  if (filters.environmentId) sql += ` and d.environment_id = $${parameters.push(filters.environmentId)}`
  if (filters.status) sql += ` and d.status = $${parameters.push(filters.status)}`
  const bound = { app_id: filters.appId, environment_id: filters.environmentId, status: filters.status }
  const found = await queryPage<ShownRecord>(db, { sql, parameters, alias: 'd', page, filters: bound })
  return { ...found, rows: found.rows.map(toShown) }
}

/** A step of a deploy's history. Ids count up. */
export interface DeployStep {
  readonly id: number
  readonly at: Date
  readonly from?: DeployStatus
  readonly to: DeployStatus
  readonly message: string
}

/** Steps after one, oldest first. */
export async function selectSteps(
  db: Queryable,
  scope: TeamScope,
  deployId: DeployId,
  page: { readonly after: number; readonly limit: number },
): Promise<readonly DeployStep[]> {
  const rows = await db.query<Omit<DeployStep, 'from'> & { from: DeployStatus | null }>(
    `select v.id, v.at, v.from_status as "from", v.to_status as "to", v.message
     from deploy_events v join deploys d on d.id = v.deploy_id
     where d.team_id = $1 and ($2::text is null or d.app_id = $2) and v.deploy_id = $3 and v.id > $4
     order by v.id limit $5`,
    [...scopeOf(scope), deployId, page.after, page.limit],
  )
  return rows.map(({ from, ...step }) => (from === null ? step : { ...step, from }))
}

export async function selectLastStep(
  db: Queryable,
  scope: TeamScope,
  deployId: DeployId,
): Promise<{ readonly message: string } | undefined> {
  const rows = await db.query<{ message: string }>(
    `select v.message from deploy_events v join deploys d on d.id = v.deploy_id
     where d.team_id = $1 and ($2::text is null or d.app_id = $2) and v.deploy_id = $3 order by v.id desc limit 1`,
    [...scopeOf(scope), deployId],
  )
  return rows[0]
}
