import { checkIfMatch } from '../kernel/entity-tag.ts'
import { UserError } from '../kernel/errors.ts'
import type { PersonId } from '../kernel/ids.ts'
import type { AccessDeps } from './access-deps.ts'
import type { Authenticator } from './authenticate.ts'
import type { TeamScope } from './principal.ts'
import { type TokenRow, tokenResource } from './token.ts'
import { lockToken, setRevoked, tokenById } from './token-store.ts'

export interface Revocation {
  readonly id: string
  /** Whose tokens may be revoked; undefined: everybody's in the team. */
  readonly person: PersonId | undefined
  readonly ifMatch: string | undefined
}

/** Ends a token, at once in this process and within a second in any other. Ending it twice is one end. */
export async function revokeToken(
  deps: AccessDeps,
  authenticator: Authenticator,
  scope: TeamScope,
  { id, person, ifMatch }: Revocation,
): Promise<void> {
  await deps.db.transaction(async (tx) => {
    await lockToken(tx, scope, id)
    const row = mustExist(await tokenById(tx, scope, person, id), id)
    checkIfMatch(ifMatch, tokenResource(row, '').etag)
    await setRevoked(tx, scope, id, deps.clock.now())
  })
  authenticator.forget()
}

export function mustExist(row: TokenRow | undefined, id: string): TokenRow {
  if (row) return row
  throw new UserError('not_found', `There is no token "${id}", or this token may not see it.`)
}
