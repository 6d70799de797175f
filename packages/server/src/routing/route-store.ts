import type { Queryable, Transaction } from '../db/database.ts'
import type { RouteContent, RouteRow } from './route.ts'

/** The routing table: one for all teams, since the routers serve them all. Queries here take no scope. */

/** Any number that nobody else in the code base locks: 'rout' in ASCII. */
const revisionLock = 0x726f7574

/**
 * Writes an environment's row with the next revision. Revisions become visible in their order: the lock is held until
 * the transaction's end, so no lower revision can commit after a higher one and be missed by a router that asks for
 * what is newer.
 */
export async function writeRoute(
  tx: Transaction,
  environmentId: string,
  route: { content: RouteContent | null; bootId: string },
): Promise<number> {
  await tx.query('select pg_advisory_xact_lock($1)', [revisionLock])
  const rows = await tx.query<{ revision: string }>(
    `insert into routes (environment_id, revision, boot_id, entry)
     values ($1, nextval('routing_revisions'), $2, $3::jsonb)
     on conflict (environment_id)
     do update set revision = excluded.revision, boot_id = excluded.boot_id, entry = excluded.entry
     returning revision::text`,
    [environmentId, route.bootId, route.content && JSON.stringify(route.content)],
  )
  await tx.query("select pg_notify('routing', '')")
  return Number(rows[0]?.revision)
}

/** The highest revision ever committed: rows are replaced and never deleted, so it never goes back. */
export async function readRevision(db: Queryable): Promise<number> {
  const rows = await db.query<{ revision: string }>('select coalesce(max(revision), 0)::text as revision from routes')
  return Number(rows[0]?.revision)
}

/** Rows above a revision, tombstones included. */
export async function readRoutesAfter(db: Queryable, revision: number): Promise<RouteRow[]> {
  const rows = await db.query<StoredRoute>(
    'select environment_id, revision::text, boot_id, entry from routes where revision > $1 order by revision',
    [revision],
  )
  return rows.map(toRow)
}

export async function readRoutes(db: Queryable): Promise<RouteRow[]> {
  const rows = await db.query<StoredRoute>(
    'select environment_id, revision::text, boot_id, entry from routes where entry is not null',
  )
  return rows.map(toRow)
}

interface StoredRoute {
  environment_id: string
  revision: string
  boot_id: string
  entry: RouteContent | null
}

function toRow(row: StoredRoute): RouteRow {
  return {
    environmentId: row.environment_id,
    revision: Number(row.revision),
    bootId: row.boot_id,
    content: row.entry,
  }
}

const epochName = 'routing_epoch'

/** The table's epoch; made by whoever asks first. */
export async function readEpoch(db: Queryable, newEpoch: () => string): Promise<string> {
  const known = await selectEpoch(db)
  if (known !== undefined) return known
  await db.query('insert into platform (name, value) values ($1, $2) on conflict (name) do nothing', [
    epochName,
    newEpoch(),
  ])
  return await readEpoch(db, newEpoch)
}

async function selectEpoch(db: Queryable): Promise<string | undefined> {
  const rows = await db.query<{ value: string }>('select value from platform where name = $1', [epochName])
  return rows[0]?.value
}

/** Begins a new history, unless somebody else already did. */
export async function replaceEpoch(db: Queryable, old: string, next: string): Promise<void> {
  await db.query('update platform set value = $3 where name = $1 and value = $2', [epochName, old, next])
}

/** The revision at which an environment's route stands; 0 when it never had one. */
export async function readRevisionOf(db: Queryable, environmentId: string): Promise<number> {
  const [row] = await db.query<{ revision: number }>('select revision from routes where environment_id = $1', [
    environmentId,
  ])
  return row?.revision ?? 0
}
