import type { TeamScope } from '../access/index.ts'
import type { Queryable } from '../db/database.ts'
import type { EnvironmentId } from '../kernel/ids.ts'

/** What happens in an environment right now, for showing it: facts of other rooms' rows, read and never written. */
export interface EnvironmentFacts {
  readonly desiredVersion?: number
  readonly liveVersion?: number
  /** Process types of the live release, or of the desired one when none is live. */
  readonly processTypes?: readonly string[]
  readonly isDeploying: boolean
  /** Instances of the live release that are in service, by process type. */
  readonly inService: Readonly<Record<string, number>>
}

interface FactsRecord {
  id: EnvironmentId
  desired_version: number | null
  live_version: number | null
  process_types: string[] | null
  is_deploying: boolean
  in_service: Record<string, number> | null
}

const query = `
  select e.id, d.version as desired_version, l.version as live_version,
    (select array_agg(name) from jsonb_object_keys(coalesce(l.process_types, d.process_types)) name) as process_types,
    exists (select 1 from deploys o where o.environment_id = e.id
      and o.status not in ('live', 'failed', 'cancelled', 'superseded', 'rolled_back')) as is_deploying,
    (select jsonb_object_agg(process_type, count) from (
      select i.process_type, count(*) from instances i
      where i.environment_id = e.id and i.status = 'healthy' and i.release_id = e.live_release_id
      group by i.process_type) counts) as in_service
  from environments e
  left join releases d on d.id = e.desired_release_id
  left join releases l on l.id = e.live_release_id
  where e.team_id = $1 and ($2::text is null or e.app_id = $2) and e.id = any($3)`

/** Facts of the environments of one page. */
export async function selectEnvironmentFacts(
  db: Queryable,
  scope: TeamScope,
  ids: readonly EnvironmentId[],
): Promise<ReadonlyMap<EnvironmentId, EnvironmentFacts>> {
  const rows = await db.query<FactsRecord>(query, [scope.team, scope.app ?? null, ids])
  return new Map(rows.map((row) => [row.id, toFacts(row)]))
}

function toFacts(row: FactsRecord): EnvironmentFacts {
  return {
    isDeploying: row.is_deploying,
    inService: row.in_service ?? {},
    ...(row.desired_version !== null && { desiredVersion: row.desired_version }),
    ...(row.live_version !== null && { liveVersion: row.live_version }),
    ...(row.process_types !== null && { processTypes: row.process_types }),
  }
}
