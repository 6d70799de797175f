import { permissions } from '@gantry/api'
import type { Transaction } from '../db/database.ts'
import type { PersonId, TeamId } from '../kernel/ids.ts'
import { hashSecretToken, prefixOfSecretToken } from '../kernel/secret-token.ts'
import type { AccessDeps } from './access-deps.ts'
import { systemScope } from './principal.ts'
import { isUsable } from './token.ts'
import { insertToken, revokeByName, tokenByHash } from './token-store.ts'

export interface Owner {
  readonly teamId: TeamId
  readonly personId: PersonId
}

const machineTokenName = 'this machine'

/**
 * Makes the team `default` and its owner on the first start, and lets the token of the machine's file `owner-token` in:
 * one that the database does not know replaces the file's earlier one. A token that was revoked stays so; then the file
 * is to be removed, and the next start makes a new one.
 */
export async function ensureOwner(deps: AccessDeps, token: string): Promise<Owner> {
  return await deps.db.transaction(async (tx) => {
    await tx.query("select pg_advisory_xact_lock(hashtext('ensure owner'))", [])
    const owner = (await findOwner(tx)) ?? (await createOwner(deps, tx))
    const known = await tokenByHash(tx, hashSecretToken(token))
    if (known && !isUsable(known, deps.clock.now())) {
      deps.logger.warn(
        { token: known.id },
        "the owner's token of this machine was revoked: remove the file owner-token and start again to make a new one",
      )
    }
    if (!known) await registerMachineToken(deps, tx, owner, token)
    return owner
  })
}

async function findOwner(tx: Transaction): Promise<Owner | undefined> {
  const rows = await tx.query<{ team_id: TeamId; person_id: PersonId }>(
    `select m.team_id, m.person_id from members m join teams t on t.id = m.team_id
     where t.name = 'default' and m.role = 'owner' order by m.created_at, m.person_id limit 1`,
    [],
  )
  return rows[0] && { teamId: rows[0].team_id, personId: rows[0].person_id }
}

async function createOwner(deps: AccessDeps, tx: Transaction): Promise<Owner> {
  const owner = { teamId: deps.newId('team'), personId: deps.newId('person') }
  const now = deps.clock.now()
  await tx.query("insert into teams (id, name, created_at) values ($1, 'default', $2)", [owner.teamId, now])
  await tx.query("insert into people (id, name, created_at) values ($1, 'owner', $2)", [owner.personId, now])
  await tx.query("insert into members (team_id, person_id, role, created_at) values ($1, $2, 'owner', $3)", [
    owner.teamId,
    owner.personId,
    now,
  ])
  return owner
}

async function registerMachineToken(deps: AccessDeps, tx: Transaction, owner: Owner, token: string): Promise<void> {
  const scope = systemScope(owner.teamId)
  const now = deps.clock.now()
  await revokeByName(tx, scope, owner.personId, machineTokenName, now)
  await insertToken(tx, scope, {
    id: deps.newId('token'),
    personId: owner.personId,
    appId: undefined,
    name: machineTokenName,
    prefix: prefixOfSecretToken(token),
    hash: hashSecretToken(token),
    scopes: permissions,
    createdAt: now,
    expiresAt: undefined,
  })
}
