import type { TeamScope } from '../access/index.ts'
import type { Queryable } from '../db/database.ts'
import type { ConfigId, EnvironmentId, TeamId } from '../kernel/ids.ts'
import type { ConfigKind, ConfigRow } from './config.ts'

interface ConfigRecord {
  id: ConfigId
  team_id: TeamId
  environment_id: EnvironmentId
  kind: ConfigKind
  version: number
  created_by: string
  created_at: Date
}

/** Parameters 1 and 2 of every query: what the caller may see. */
const inScope = `c.team_id = $1 and ($2::text is null or exists
  (select 1 from environments e where e.id = c.environment_id and e.app_id = $2))`
const scopeOf = (scope: TeamScope) => [scope.team, scope.app ?? null]

export async function selectConfig(db: Queryable, scope: TeamScope, id: ConfigId): Promise<ConfigRow | undefined> {
  const rows = await db.query<ConfigRecord>(
    `select c.id, c.team_id, c.environment_id, c.kind, c.version, c.created_by, c.created_at
     from configs c where ${inScope} and c.id = $3`,
    [...scopeOf(scope), id],
  )
  const row = rows[0]
  if (!row) return undefined
  return {
    id: row.id,
    teamId: row.team_id,
    environmentId: row.environment_id,
    kind: row.kind,
    version: row.version,
    createdBy: row.created_by,
    createdAt: row.created_at,
  }
}

export interface SealedValue {
  readonly name: string
  readonly ciphertext: Uint8Array
}

export async function selectValues(
  db: Queryable,
  scope: TeamScope,
  id: ConfigId,
): Promise<{ readonly environmentId: EnvironmentId; readonly values: readonly SealedValue[] }> {
  const rows = await db.query<SealedValue & { environment_id: EnvironmentId }>(
    `select c.environment_id, v.name, v.ciphertext from configs c join config_values v on v.config_id = c.id
     where ${inScope} and c.id = $3 and v.ciphertext is not null order by v.name`,
    [...scopeOf(scope), id],
  )
  return { environmentId: rows[0]?.environment_id ?? ('' as EnvironmentId), values: rows }
}

export interface NewConfig {
  readonly id: ConfigId
  readonly environmentId: EnvironmentId
  readonly kind: ConfigKind
  readonly createdBy: string
  readonly at: Date
  readonly values: readonly SealedValue[]
}

/** Writes the next version. The caller holds the environment's lock. */
export async function insertConfig(db: Queryable, scope: TeamScope, config: NewConfig): Promise<void> {
  await db.query(
    `insert into configs (id, team_id, environment_id, kind, version, created_by, created_at)
     select $1, $2, $3, $4, 1 + coalesce(max(c.version), 0), $5, $6
     from configs c where c.environment_id = $3 and c.kind = $4`,
    [config.id, scope.team, config.environmentId, config.kind, config.createdBy, config.at],
  )
  await db.query(
    `insert into config_values (config_id, name, ciphertext) select $1, * from unnest($2::text[], $3::bytea[])`,
    [config.id, config.values.map((value) => value.name), config.values.map((value) => Buffer.from(value.ciphertext))],
  )
}
