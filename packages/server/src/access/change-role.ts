import { checkIfMatch } from '../kernel/entity-tag.ts'
import type { AccessDeps } from './access-deps.ts'
import type { Authenticator } from './authenticate.ts'
import { findMember } from './find-member.ts'
import { type MemberChange, type MemberRow, memberResource, refuseAbove, refuseLastOwner } from './member.ts'
import { countOwners, lockMembers, setRole } from './member-store.ts'
import type { Role, TeamScope } from './principal.ts'

export interface RoleChange extends MemberChange {
  /** Absent: as it is. */
  readonly role: Role | undefined
}

/** Counts for all tokens of the person, at once in this process and within a second in any other. */
export async function changeRole(
  deps: AccessDeps,
  authenticator: Authenticator,
  scope: TeamScope,
  { principal, id, ifMatch, role }: RoleChange,
): Promise<MemberRow> {
  const changed = await deps.db.transaction(async (tx) => {
    await lockMembers(tx, scope)
    const row = await findMember(tx, scope, id)
    checkIfMatch(ifMatch, memberResource(row, '').etag)
    if (role === undefined || role === row.role) return row
    refuseAbove(principal, row.role)
    refuseAbove(principal, role)
    refuseLastOwner(row, await countOwners(tx, scope))
    await setRole(tx, scope, row.id, role)
    return { ...row, role }
  })
  authenticator.forget()
  return changed
}
