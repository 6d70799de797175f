import type { TeamScope } from '../access/index.ts'
import type { Queryable } from '../db/database.ts'
import { type Page, type PageFilters, type PageRequest, queryPage } from '../db/keyset-page.ts'
import type { Instance } from './instance.ts'
import { type InstanceRow, instanceFromRow } from './instance-store.ts'

/** An instance with the names that people know its surroundings by. */
export interface ShownInstance extends Instance {
  readonly appName: string
  readonly environmentName: string
  readonly releaseVersion: number
}

interface ShownRow extends InstanceRow {
  app_name: string
  environment_name: string
  release_version: number
}

const shown = `
  select i.*, a.name as app_name, e.name as environment_name, r.version as release_version
  from instances i join apps a on a.id = i.app_id join environments e on e.id = i.environment_id
  join releases r on r.id = i.release_id
  where i.team_id = $1 and ($2::text is null or i.app_id = $2)`

function toShown(row: ShownRow): ShownInstance {
  return {
    ...instanceFromRow(row),
    appName: row.app_name,
    environmentName: row.environment_name,
    releaseVersion: row.release_version,
  }
}

/** Without a status: those that have not ended. */
export async function selectShownInstances(
  db: Queryable,
  scope: TeamScope,
  filters: PageFilters,
  page: PageRequest,
): Promise<Page<ShownInstance>> {
  const { rows, ...rest } = await queryPage<ShownRow>(db, {
    sql: `${shown} and ($3::text is null or i.app_id = $3) and ($4::text is null or i.environment_id = $4)
      and ($5::text is null and i.status <> 'ended' or i.status = $5)`,
    parameters: [
      scope.team,
      scope.app ?? null,
      filters.app_id ?? null,
      filters.environment_id ?? null,
      filters.status ?? null,
    ],
    alias: 'i',
    page,
    filters,
  })
  return { rows: rows.map(toShown), ...rest }
}

export async function selectShownInstance(
  db: Queryable,
  scope: TeamScope,
  id: string,
): Promise<ShownInstance | undefined> {
  const rows = await db.query<ShownRow>(`${shown} and i.id = $3`, [scope.team, scope.app ?? null, id])
  return rows[0] && toShown(rows[0])
}
