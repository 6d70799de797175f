import type { Queryable } from '../db/database.ts'

/** The routers of this installation, which belong to no team. */

/** A router's lease, by the database's clock. */
export const leaseSeconds = 30

/** Renews the lease and notes the revision that the router says it has applied. */
export async function renewLease(db: Queryable, routerId: string, revision: number): Promise<void> {
  await db.query(
    `insert into routers (id, acknowledged_revision, lease_until)
     values ($1, $2, clock_timestamp() + make_interval(secs => $3))
     on conflict (id)
     do update set acknowledged_revision = excluded.acknowledged_revision, lease_until = excluded.lease_until`,
    [routerId, revision, leaseSeconds],
  )
}

export interface RouterRow {
  readonly id: string
  readonly acknowledgedRevision: number
  readonly isLeased: boolean
}

export async function readRouters(db: Queryable): Promise<RouterRow[]> {
  const rows = await db.query<{ id: string; acknowledged_revision: string; is_leased: boolean }>(
    'select id, acknowledged_revision::text, lease_until > clock_timestamp() as is_leased from routers',
  )
  return rows.map((row) => ({
    id: row.id,
    acknowledgedRevision: Number(row.acknowledged_revision),
    isLeased: row.is_leased,
  }))
}

export async function deleteRouter(db: Queryable, routerId: string): Promise<void> {
  await db.query('delete from routers where id = $1', [routerId])
}

/** Forgets routers that have been silent for a long time. */
export async function deleteSilentRouters(db: Queryable): Promise<void> {
  await db.query("delete from routers where lease_until < clock_timestamp() - interval '1 hour'")
}
