import type { Queryable, Transaction } from '../db/database.ts'
import { type Page, type PageRequest, queryPage } from '../db/keyset-page.ts'
import type { PersonId } from '../kernel/ids.ts'
import type { MemberRow } from './member.ts'
import type { Role, TeamScope } from './principal.ts'

const selectMember = `
  select m.id, p.name, m.role, m.created_at, m.joined_at
  from (select team_id, person_id as id, role, created_at, joined_at from members) m join people p on p.id = m.id`

export async function listMembers(db: Queryable, scope: TeamScope, page: PageRequest): Promise<Page<MemberRow>> {
  const sql = `${selectMember} where m.team_id = $1`
  return await queryPage<MemberRow>(db, { sql, parameters: [scope.team], alias: 'm', page, filters: {} })
}

export async function memberById(db: Queryable, scope: TeamScope, id: string): Promise<MemberRow | undefined> {
  const rows = await db.query<MemberRow>(`${selectMember} where m.team_id = $1 and m.id = $2`, [scope.team, id])
  return rows[0]
}

/** Held until the transaction ends: who is in the team, and with which role, changes one at a time. */
export async function lockMembers(tx: Transaction, scope: TeamScope): Promise<void> {
  await tx.query('select 1 from teams where id = $1 for no key update', [scope.team])
}

export async function isNameTaken(tx: Transaction, scope: TeamScope, name: string): Promise<boolean> {
  const rows = await tx.query(
    'select 1 from members m join people p on p.id = m.person_id where m.team_id = $1 and lower(p.name) = lower($2)',
    [scope.team, name],
  )
  return rows.length > 0
}

/** Owners who have joined. An invited one may never come. */
export async function countOwners(tx: Transaction, scope: TeamScope): Promise<number> {
  const rows = await tx.query<{ count: number }>(
    "select count(*)::int as count from members where team_id = $1 and role = 'owner' and joined_at is not null",
    [scope.team],
  )
  return rows[0]?.count ?? 0
}

export interface NewMember {
  readonly id: PersonId
  readonly name: string
  readonly role: Role
  readonly createdAt: Date
}

export async function insertMember(tx: Transaction, scope: TeamScope, member: NewMember): Promise<void> {
  const { id, name, role, createdAt } = member
  await tx.query('insert into people (id, name, created_at) values ($1, $2, $3)', [id, name, createdAt])
  await tx.query('insert into members (team_id, person_id, role, created_at) values ($1, $2, $3, $4)', [
    scope.team,
    id,
    role,
    createdAt,
  ])
}

export async function setRole(tx: Transaction, scope: TeamScope, id: PersonId, role: Role): Promise<void> {
  await tx.query('update members set role = $3 where team_id = $1 and person_id = $2', [scope.team, id, role])
}

export async function setJoined(tx: Transaction, scope: TeamScope, id: PersonId, at: Date): Promise<void> {
  await tx.query('update members set joined_at = $3 where team_id = $1 and person_id = $2 and joined_at is null', [
    scope.team,
    id,
    at,
  ])
}

export async function deleteMember(tx: Transaction, scope: TeamScope, id: PersonId): Promise<void> {
  await tx.query('delete from members where team_id = $1 and person_id = $2', [scope.team, id])
}
