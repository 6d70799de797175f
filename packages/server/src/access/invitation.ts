import { permissions } from '@gantry/api'
import type { Transaction } from '../db/database.ts'
import { UserError } from '../kernel/errors.ts'
import type { PersonId } from '../kernel/ids.ts'
import { hashSecretToken, newSecretToken, prefixOfSecretToken } from '../kernel/secret-token.ts'
import type { AccessDeps } from './access-deps.ts'
import { readExpiry } from './expiry.ts'
import type { NewInvitation } from './member.ts'
import { setJoined } from './member-store.ts'
import type { Principal, TeamScope } from './principal.ts'
import { insertToken, revokeOfPerson, useInvitation } from './token-store.ts'

const dayMs = 86_400_000
const usualMs = 7 * dayMs
const longestMs = 30 * dayMs

/** When an invitation is to end, and the field of the request that says so. */
export interface WantedExpiry {
  readonly at: string | undefined
  readonly field: string
}

/** Makes the one invitation of a person: earlier ones stop working. */
export async function createInvitation(
  deps: AccessDeps,
  tx: Transaction,
  scope: TeamScope,
  { personId, expires }: { readonly personId: PersonId; readonly expires: WantedExpiry },
): Promise<NewInvitation> {
  const now = deps.clock.now()
  const expiresAt = readExpiry(expires.at, now, expires.field) ?? new Date(now.getTime() + usualMs)
  if (expiresAt.getTime() > now.getTime() + longestMs) {
    throw new UserError('invalid_field', 'An invitation works for 30 days at most: choose an earlier end.', {
      target: { type: 'field', name: expires.field },
    })
  }
  await revokeOfPerson(tx, scope, { personId, what: 'invitations', at: now })
  const code = newSecretToken(deps.randomBytes)
  await insertToken(tx, scope, {
    id: deps.newId('token'),
    personId,
    appId: undefined,
    name: 'invitation',
    prefix: prefixOfSecretToken(code),
    hash: hashSecretToken(code),
    scopes: ['token:create'],
    createdAt: now,
    expiresAt,
    isInvitation: true,
  })
  return { code, expiresAt }
}

/** Takes an invitation, once, and says for whom it makes a token: the person, with all that their role permits. */
export async function acceptInvitation(
  deps: AccessDeps,
  tx: Transaction,
  scope: TeamScope,
  principal: Principal,
): Promise<Principal> {
  const now = deps.clock.now()
  if (!(await useInvitation(tx, scope, principal.tokenId, now))) {
    throw new UserError('unauthenticated', 'This invitation was used or revoked already. Ask for a new one.')
  }
  await setJoined(tx, scope, principal.personId, now)
  const { isInvitation: _, ...person } = principal
  return { ...person, scopes: permissions }
}
