import type { Queryable, Transaction } from '../db/database.ts'
import type { PersonId, TeamId } from '../kernel/ids.ts'

/** The owner of this machine and the team `default`. Without a scope: this is what makes the first one possible. */

export interface Owner {
  readonly teamId: TeamId
  readonly personId: PersonId
}

/** Held until the transaction ends: two that start at once make one owner. */
export async function lockOwner(tx: Transaction): Promise<void> {
  await tx.query("select pg_advisory_xact_lock(hashtext('ensure owner'))", [])
}

export async function selectOwner(db: Queryable): Promise<Owner | undefined> {
  const rows = await db.query<Owner>(
    `select m.team_id as "teamId", m.person_id as "personId" from members m join teams t on t.id = m.team_id
     where t.name = 'default' and m.role = 'owner' order by m.created_at, m.person_id limit 1`,
    [],
  )
  return rows[0]
}

export async function insertOwner(tx: Transaction, { teamId, personId }: Owner, now: Date): Promise<void> {
  await tx.query("insert into teams (id, name, created_at) values ($1, 'default', $2)", [teamId, now])
  await tx.query("insert into people (id, name, created_at) values ($1, 'owner', $2)", [personId, now])
  await tx.query(
    "insert into members (team_id, person_id, role, created_at, joined_at) values ($1, $2, 'owner', $3, $3)",
    [teamId, personId, now],
  )
}
