import type { Permission } from '@gantry/api'
import type { Queryable } from '../db/database.ts'
import { type Page, type PageRequest, queryPage } from '../db/keyset-page.ts'
import type { AppId, PersonId, TokenId } from '../kernel/ids.ts'
import type { TeamScope } from './principal.ts'
import type { TokenRow, UsableToken } from './token.ts'

const selectToken = `
  select t.id, t.team_id, t.person_id, p.name as person_name, m.role, t.is_invitation, t.app_id, a.name as app_name, t.name, t.prefix,
    t.scopes, t.created_at, t.expires_at, t.revoked_at, t.last_used_at
  from tokens t join people p on p.id = t.person_id
    left join members m on m.team_id = t.team_id and m.person_id = t.person_id
    left join apps a on a.id = t.app_id`

/** Without a scope: it is what finds the scope. Tokens of a deleted app or a removed member are gone with them. */
export async function tokenByHash(db: Queryable, hash: Uint8Array): Promise<UsableToken | undefined> {
  const sql = `${selectToken} where t.hash = $1 and a.deleted_at is null and m.role is not null`
  const rows = await db.query<UsableToken>(sql, [hash])
  return rows[0]
}

/** `person` narrows to the tokens of one person. */
export async function listTokens(
  db: Queryable,
  scope: TeamScope,
  person: PersonId | undefined,
  page: PageRequest,
): Promise<Page<TokenRow>> {
  return await queryPage<TokenRow>(db, {
    sql: `${selectToken} where t.team_id = $1 and not t.is_invitation and ($2::text is null or t.person_id = $2)`,
    parameters: [scope.team, person ?? null],
    alias: 't',
    page,
    filters: {},
  })
}

export async function tokenById(
  db: Queryable,
  scope: TeamScope,
  person: PersonId | undefined,
  id: string,
): Promise<TokenRow | undefined> {
  const rows = await db.query<TokenRow>(
    `${selectToken} where t.team_id = $1 and not t.is_invitation and ($2::text is null or t.person_id = $2) and t.id = $3`,
    [scope.team, person ?? null, id],
  )
  return rows[0]
}

export interface NewToken {
  readonly id: TokenId
  readonly personId: PersonId
  readonly appId: AppId | undefined
  readonly name: string
  readonly prefix: string
  readonly hash: Uint8Array
  readonly scopes: readonly Permission[]
  readonly createdAt: Date
  readonly expiresAt: Date | undefined
  readonly isInvitation?: true
}

export async function insertToken(db: Queryable, scope: TeamScope, token: NewToken): Promise<void> {
  await db.query(
    `insert into tokens (id, team_id, person_id, app_id, name, prefix, hash, scopes, created_at, expires_at,
       is_invitation)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
    [
      token.id,
      scope.team,
      token.personId,
      token.appId ?? null,
      token.name,
      token.prefix,
      token.hash,
      token.scopes,
      token.createdAt,
      token.expiresAt ?? null,
      token.isInvitation ?? false,
    ],
  )
}

export async function lockToken(db: Queryable, scope: TeamScope, id: string): Promise<void> {
  await db.query('select 1 from tokens where team_id = $1 and id = $2 for update', [scope.team, id])
}

export async function setRevoked(db: Queryable, scope: TeamScope, id: string, at: Date): Promise<void> {
  await db.query('update tokens set revoked_at = $3 where team_id = $1 and id = $2 and revoked_at is null', [
    scope.team,
    id,
    at,
  ])
}

/** Ends an invitation that was used. False: it was used or revoked before. */
export async function useInvitation(db: Queryable, scope: TeamScope, id: TokenId, at: Date): Promise<boolean> {
  const rows = await db.query(
    `update tokens set revoked_at = $3, last_used_at = $3
     where team_id = $1 and id = $2 and is_invitation and revoked_at is null returning id`,
    [scope.team, id, at],
  )
  return rows.length > 0
}

/** Whether a person can do anything with a token of their own now; an invitation is none. */
export async function hasUsableToken(db: Queryable, scope: TeamScope, personId: PersonId, now: Date): Promise<boolean> {
  const rows = await db.query(
    `select 1 from tokens where team_id = $1 and person_id = $2 and not is_invitation and revoked_at is null
       and (expires_at is null or expires_at > $3) limit 1`,
    [scope.team, personId, now],
  )
  return rows.length > 0
}

/** Revokes what a person has: everything, or the invitations alone. */
export async function revokeOfPerson(
  db: Queryable,
  scope: TeamScope,
  { personId, what, at }: { readonly personId: PersonId; readonly what: 'all' | 'invitations'; readonly at: Date },
): Promise<void> {
  await db.query(
    `update tokens set revoked_at = $4
     where team_id = $1 and person_id = $2 and revoked_at is null and ($3 or is_invitation)`,
    [scope.team, personId, what === 'all', at],
  )
}

/** Revokes the earlier tokens of this name, such as the last one of this machine. */
export async function revokeByName(
  db: Queryable,
  scope: TeamScope,
  { personId, name, at }: { readonly personId: PersonId; readonly name: string; readonly at: Date },
): Promise<void> {
  await db.query(
    'update tokens set revoked_at = $4 where team_id = $1 and person_id = $2 and name = $3 and revoked_at is null',
    [scope.team, personId, name, at],
  )
}

/** Without a scope: what was asked for is not known yet. To the minute: a busy token costs one write a minute, however many processes serve it. */
export async function setLastUsed(db: Queryable, id: TokenId, at: Date): Promise<void> {
  await db.query(
    `update tokens set last_used_at = $2
     where id = $1 and (last_used_at is null or last_used_at < $2::timestamptz - interval '1 minute')`,
    [id, at],
  )
}

/** An app of the team by id or name: what a token may be limited to. */
export async function appIdOf(db: Queryable, scope: TeamScope, idOrName: string): Promise<AppId | undefined> {
  const rows = await db.query<{ id: AppId }>(
    `select id from apps where team_id = $1 and deleted_at is null and (id = $2 or name = $2)
       and ($3::text is null or id = $3)`,
    [scope.team, idOrName, scope.app ?? null],
  )
  return rows[0]?.id
}
