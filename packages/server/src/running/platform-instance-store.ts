import { systemScope, type TeamScope } from '../access/index.ts'
import type { Queryable } from '../db/database.ts'
import type { EnvironmentId, InstanceId, TeamId } from '../kernel/ids.ts'
import type { Instance } from './instance.ts'
import { type InstanceRow, instanceFromRow } from './instance-store.ts'

/**
 * Queries over the instances of every team, for the platform's own loops, which serve no caller: the engine knows
 * instances by id alone, and one look at it answers for all. Each row comes with the scope that what follows needs.
 */

export interface CheckedInstance {
  readonly instance: Instance
  readonly scope: TeamScope
  readonly appName: string
  readonly environmentName: string
}

/** Every `web` instance in service: what the health checks ask. */
export async function instancesToCheck(db: Queryable): Promise<CheckedInstance[]> {
  const rows = await db.query<InstanceRow & { app_name: string; environment_name: string }>(
    `select i.*, a.name as app_name, e.name as environment_name
     from instances i join apps a on a.id = i.app_id join environments e on e.id = i.environment_id
     where i.status in ('healthy', 'unhealthy') and i.process_type = 'web' order by i.id`,
  )
  return rows.map((row) => ({
    instance: instanceFromRow(row),
    scope: systemScope(row.team_id as TeamId),
    appName: row.app_name,
    environmentName: row.environment_name,
  }))
}

export interface InstanceOwner {
  readonly id: InstanceId
  readonly environmentId: EnvironmentId
  readonly status: Instance['status']
}

/** Those of these ids that have a row that has not ended. */
export async function ownersOf(db: Queryable, ids: readonly string[]): Promise<InstanceOwner[]> {
  return await db.query<InstanceOwner>(
    `select id, environment_id as "environmentId", status from instances where id = any($1) and status <> 'ended'`,
    [ids],
  )
}

/** Environments with a row that has not ended of an instance that does not run. */
export async function environmentsMissing(db: Queryable, runningIds: readonly string[]): Promise<EnvironmentId[]> {
  const rows = await db.query<{ environment_id: EnvironmentId }>(
    `select distinct i.environment_id from instances i
     where i.status <> 'ended' and not exists (select 1 from unnest($1::text[]) as running(id) where running.id = i.id)`,
    [runningIds],
  )
  return rows.map((row) => row.environment_id)
}

/** Which of these ids no row wants. */
export async function strayIds(db: Queryable, ids: readonly string[]): Promise<ReadonlySet<string>> {
  const rows = await db.query<{ id: string }>(
    `select seen.id from unnest($1::text[]) as seen(id)
     where not exists (select 1 from instances i where i.id = seen.id and i.status <> 'ended')`,
    [ids],
  )
  return new Set(rows.map((row) => row.id))
}

/** A fencing number above every one given so far, for an effect that no work row stands behind. */
export async function takeFence(db: Queryable): Promise<number> {
  const [row] = await db.query<{ number: number }>(`select nextval('fences') as number`)
  return row?.number ?? 0
}
