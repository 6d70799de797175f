import { permissions } from '@gantry/api'
import type { Transaction } from '../db/database.ts'
import { hashSecretToken, prefixOfSecretToken } from '../kernel/secret-token.ts'
import type { AccessDeps } from './access-deps.ts'
import { insertOwner, lockOwner, type Owner, selectOwner } from './owner-store.ts'
import { systemScope } from './principal.ts'
import { isUsable } from './token.ts'
import { insertToken, revokeByName, tokenByHash } from './token-store.ts'

const machineTokenName = 'this machine'

/**
 * Makes the team `default` and its owner on the first start, and lets the token of the machine's file `owner-token` in:
 * one that the database does not know replaces the file's earlier one. A token that was revoked stays so; then the file
 * is to be removed, and the next start makes a new one.
 */
export async function ensureOwner(deps: AccessDeps, token: string): Promise<Owner> {
  return await deps.db.transaction(async (tx) => {
    await lockOwner(tx)
    const owner = (await selectOwner(tx)) ?? (await createOwner(deps, tx))
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

async function createOwner(deps: AccessDeps, tx: Transaction): Promise<Owner> {
  const owner = { teamId: deps.newId('team'), personId: deps.newId('person') }
  await insertOwner(tx, owner, deps.clock.now())
  return owner
}

async function registerMachineToken(deps: AccessDeps, tx: Transaction, owner: Owner, token: string): Promise<void> {
  const scope = systemScope(owner.teamId)
  const now = deps.clock.now()
  await revokeByName(tx, scope, { personId: owner.personId, name: machineTokenName, at: now })
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
