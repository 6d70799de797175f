import type { BodyOf, createMember as createEndpoint } from '@gantry/api'
import { UserError } from '../kernel/errors.ts'
import type { AccessDeps } from './access-deps.ts'
import { findMember } from './find-member.ts'
import { createInvitation } from './invitation.ts'
import { type MemberChange, type MemberRow, type NewInvitation, refuseAbove } from './member.ts'
import { insertMember, isNameTaken, lockMembers } from './member-store.ts'
import type { Principal, TeamScope } from './principal.ts'
import { hasUsableToken } from './token-store.ts'

/** Makes a person, their membership and an invitation, which is shown this once. */
export async function inviteMember(
  deps: AccessDeps,
  scope: TeamScope,
  principal: Principal,
  prototype: BodyOf<typeof createEndpoint>,
): Promise<{ row: MemberRow; invitation: NewInvitation }> {
  const { name, role = 'developer' } = prototype
  refuseAbove(principal, role)
  return await deps.db.transaction(async (tx) => {
    await lockMembers(tx, scope)
    if (await isNameTaken(tx, scope, name)) {
      const message = `Somebody in the team is called "${name}" already: choose another name, or invite them again.`
      throw new UserError('name_taken', message, { target: { type: 'field', name: 'name' } })
    }
    const id = deps.newId('person')
    await insertMember(tx, scope, { id, name, role, createdAt: deps.clock.now() })
    const expires = { at: prototype.invitation?.expires_at, field: 'invitation.expires_at' }
    const invitation = await createInvitation(deps, tx, scope, { personId: id, expires })
    return { row: await findMember(tx, scope, id), invitation }
  })
}

/** Makes a new invitation for a member who has not joined, or has no token that works; earlier ones stop working. */
export async function inviteAgain(
  deps: AccessDeps,
  scope: TeamScope,
  { principal, id }: MemberChange,
  expiresAt: string | undefined,
): Promise<{ row: MemberRow; invitation: NewInvitation }> {
  return await deps.db.transaction(async (tx) => {
    await lockMembers(tx, scope)
    const row = await findMember(tx, scope, id)
    refuseAbove(principal, row.role)
    if (await hasUsableToken(tx, scope, row.id, deps.clock.now())) {
      const message = `${row.name} has a token that works: an invitation would let somebody else act in that name. Revoke it first.`
      throw new UserError('invalid_state', message)
    }
    const expires = { at: expiresAt, field: 'expires_at' }
    return { row, invitation: await createInvitation(deps, tx, scope, { personId: row.id, expires }) }
  })
}
