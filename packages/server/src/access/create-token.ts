import type { BodyOf, createToken as createTokenEndpoint, Permission } from '@gantry/api'
import type { Queryable, Transaction } from '../db/database.ts'
import { UserError } from '../kernel/errors.ts'
import type { AppId } from '../kernel/ids.ts'
import { hashSecretToken, newSecretToken, prefixOfSecretToken } from '../kernel/secret-token.ts'
import type { AccessDeps } from './access-deps.ts'
import { permittedTo } from './authorize.ts'
import { readExpiry } from './expiry.ts'
import { acceptInvitation } from './invitation.ts'
import { teamWidePermissions } from './permissions.ts'
import type { Principal, TeamScope } from './principal.ts'
import type { TokenRow } from './token.ts'
import { appIdOf, insertToken, tokenById } from './token-store.ts'

export type TokenPrototype = BodyOf<typeof createTokenEndpoint>

/**
 * Makes a token that permits at most what its maker may do; an invitation is used up by it. `secret` is the token itself,
 * and nobody can show it again.
 */
export async function createToken(
  deps: AccessDeps,
  scope: TeamScope,
  principal: Principal,
  prototype: TokenPrototype,
): Promise<{ row: TokenRow; secret: string }> {
  return await deps.db.transaction(async (tx) => {
    const maker = principal.isInvitation ? await acceptInvitation(deps, tx, scope, principal) : principal
    return await createTokenOf(deps, tx, scope, { maker, prototype })
  })
}

async function createTokenOf(
  deps: AccessDeps,
  tx: Transaction,
  scope: TeamScope,
  { maker: principal, prototype }: { readonly maker: Principal; readonly prototype: TokenPrototype },
): Promise<{ row: TokenRow; secret: string }> {
  const now = deps.clock.now()
  const expiresAt = readExpiry(prototype.expires_at, now)
  const appId = prototype.app ? await findApp(tx, scope, prototype.app.id) : undefined
  const scopes = chooseScopes(permittedTo(principal), prototype.scopes, appId !== undefined)
  const secret = newSecretToken(deps.randomBytes)
  const id = deps.newId('token')
  await insertToken(tx, scope, {
    id,
    personId: principal.personId,
    appId,
    name: prototype.name,
    prefix: prefixOfSecretToken(secret),
    hash: hashSecretToken(secret),
    scopes,
    createdAt: now,
    expiresAt,
  })
  const row = await tokenById(tx, scope, principal.personId, id)
  if (!row) throw new Error(`token ${id} is gone as soon as it was made`)
  return { row, secret }
}

async function findApp(db: Queryable, scope: TeamScope, idOrName: string): Promise<AppId> {
  const id = await appIdOf(db, scope, idOrName)
  if (id) return id
  throw new UserError('not_found', `There is no app "${idOrName}", or this token may not see it.`, {
    target: { type: 'field', name: 'app.id' },
  })
}

function chooseScopes(
  permitted: readonly Permission[],
  wanted: readonly Permission[] | undefined,
  isForOneApp: boolean,
): readonly Permission[] {
  const possible = isForOneApp ? permitted.filter((scope) => !teamWidePermissions.has(scope)) : permitted
  if (wanted === undefined) return possible
  const wide = wanted.find((scope) => isForOneApp && teamWidePermissions.has(scope))
  const target = { type: 'field', name: 'scopes' } as const
  if (wide) {
    throw new UserError('invalid_field', `A token for one app cannot have ${wide}: it reaches beyond the app.`, {
      target,
    })
  }
  const missing = wanted.filter((scope) => !possible.includes(scope))
  if (missing.length === 0) return wanted
  throw new UserError('forbidden', `A token cannot permit more than its maker may do: ${missing.join(', ')}.`, {
    target,
  })
}
