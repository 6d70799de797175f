import type { Queryable } from '../db/database.ts'
import type { AppId, BuildId, DeployId, EnvironmentId } from '../kernel/ids.ts'

/** Rows of what is being deleted. Work rows name no team: their subjects are ids that deletion has marked. */

export interface DeletedEnvironment {
  readonly id: EnvironmentId
  readonly appId: AppId
}

export async function selectDeletedEnvironment(db: Queryable, id: string): Promise<DeletedEnvironment | undefined> {
  const rows = await db.query<DeletedEnvironment>(
    'select id, app_id as "appId" from environments where id = $1 and deleted_at is not null',
    [id],
  )
  return rows[0]
}

export async function selectEnvironmentIds(db: Queryable, appId: AppId): Promise<readonly EnvironmentId[]> {
  const rows = await db.query<{ id: EnvironmentId }>('select id from environments where app_id = $1', [appId])
  return rows.map((row) => row.id)
}

/** Whether nothing of these environments runs, is routed, or is being worked on. */
export async function areQuiet(db: Queryable, ids: readonly EnvironmentId[]): Promise<boolean> {
  const rows = await db.query<{ quiet: boolean }>(
    `select not (
       exists (select 1 from instances where environment_id = any($1) and status <> 'ended')
       or exists (select 1 from routes where environment_id = any($1) and entry is not null)
       or exists (select 1 from work where kind = 'environment' and subject = any($1))
       or exists (select 1 from work w join deploys d on d.id = w.subject
         where w.kind = 'deploy' and d.environment_id = any($1))) as quiet`,
    [ids],
  )
  return rows[0]?.quiet ?? false
}

/** Whether the routing table leads to one of these environments. */
export async function areRouted(db: Queryable, ids: readonly EnvironmentId[]): Promise<boolean> {
  const rows = await db.query('select 1 from routes where environment_id = any($1) and entry is not null limit 1', [
    ids,
  ])
  return rows.length > 0
}

export async function selectJourneys(
  db: Queryable,
  id: EnvironmentId,
): Promise<{ readonly buildIds: readonly BuildId[]; readonly deployIds: readonly DeployId[] }> {
  const builds = await db.query<{ id: BuildId }>('select id from builds where environment_id = $1', [id])
  const deploys = await db.query<{ id: DeployId }>('select id from deploys where environment_id = $1', [id])
  return { buildIds: builds.map((row) => row.id), deployIds: deploys.map((row) => row.id) }
}

export async function deleteEnvironmentRows(db: Queryable, id: EnvironmentId): Promise<void> {
  await db.query('delete from environments where id = $1 and deleted_at is not null', [id])
}
