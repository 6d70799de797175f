import { checkIfMatch } from '../kernel/entity-tag.ts'
import type { AccessDeps } from './access-deps.ts'
import type { Authenticator } from './authenticate.ts'
import { findMember } from './find-member.ts'
import { type MemberChange, memberResource, refuseAbove, refuseLastOwner } from './member.ts'
import { countOwners, deleteMember, lockMembers } from './member-store.ts'
import type { TeamScope } from './principal.ts'
import { revokeOfPerson } from './token-store.ts'

/** Their tokens and invitations end with it, at once in this process and within a second in any other. */
export async function removeMember(
  deps: AccessDeps,
  authenticator: Authenticator,
  scope: TeamScope,
  { principal, id, ifMatch }: MemberChange,
): Promise<void> {
  await deps.db.transaction(async (tx) => {
    await lockMembers(tx, scope)
    const row = await findMember(tx, scope, id)
    checkIfMatch(ifMatch, memberResource(row, '').etag)
    refuseAbove(principal, row.role)
    refuseLastOwner(row, await countOwners(tx, scope))
    await revokeOfPerson(tx, scope, { personId: row.id, what: 'all', at: deps.clock.now() })
    await deleteMember(tx, scope, row.id)
  })
  authenticator.forget()
}
