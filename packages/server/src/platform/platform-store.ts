import type { Queryable } from '../db/database.ts'

/** What the platform's health is judged by: the machine's parts, of no team. */

export async function selectServerVersion(db: Queryable): Promise<string | undefined> {
  const [row] = await db.query<{ version: string }>("select current_setting('server_version') as version", [])
  return row?.version
}

/** Routers with a live lease, and how many of them do not have the newest table yet. */
export async function countRouters(db: Queryable): Promise<{ readonly live: number; readonly behind: number }> {
  const [row] = await db.query<{ live: number; behind: number }>(
    `select count(*) as live,
       count(*) filter (where acknowledged_revision < (select coalesce(max(revision), 0) from routes)) as behind
     from routers where lease_until > now()`,
    [],
  )
  return row ?? { live: 0, behind: 0 }
}
