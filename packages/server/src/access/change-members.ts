import type { BodyOf, createMember as createEndpoint } from '@gantry/api'
import type { Transaction } from '../db/database.ts'
import { checkIfMatch } from '../kernel/entity-tag.ts'
import { UserError } from '../kernel/errors.ts'
import type { AccessDeps } from './access-deps.ts'
import type { Authenticator } from './authenticate.ts'
import { createInvitation } from './invitation.ts'
import { type MemberRow, memberResource, type NewInvitation } from './member.ts'
import {
  countOwners,
  deleteMember,
  insertMember,
  isNameTaken,
  lockMembers,
  memberById,
  setRole,
} from './member-store.ts'
import { type Principal, type Role, roles, type TeamScope } from './principal.ts'
import { revokeOfPerson } from './token-store.ts'

export interface ChangingMembers extends AccessDeps {
  readonly authenticator: Authenticator
}

/** Who changes whose membership, on the version that they saw. */
export interface MemberChange {
  readonly principal: Principal
  readonly id: string
  readonly ifMatch?: string | undefined
}

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
    const expires = { at: expiresAt, field: 'expires_at' }
    return { row, invitation: await createInvitation(deps, tx, scope, { personId: row.id, expires }) }
  })
}

export async function changeRole(
  deps: ChangingMembers,
  scope: TeamScope,
  change: MemberChange,
  role: Role | undefined,
): Promise<MemberRow> {
  const changed = await deps.db.transaction(async (tx) => {
    await lockMembers(tx, scope)
    const row = await findMember(tx, scope, change.id)
    checkIfMatch(change.ifMatch, memberResource(row, '').etag)
    if (role === undefined || role === row.role) return row
    refuseAbove(change.principal, row.role)
    refuseAbove(change.principal, role)
    if (row.role === 'owner') await refuseLastOwner(tx, scope, row)
    await setRole(tx, scope, row.id, role)
    return { ...row, role }
  })
  deps.authenticator.forget()
  return changed
}

/** Their tokens and invitations end with it, at once in this process and within a second in any other. */
export async function removeMember(deps: ChangingMembers, scope: TeamScope, change: MemberChange): Promise<void> {
  await deps.db.transaction(async (tx) => {
    await lockMembers(tx, scope)
    const row = await findMember(tx, scope, change.id)
    checkIfMatch(change.ifMatch, memberResource(row, '').etag)
    refuseAbove(change.principal, row.role)
    if (row.role === 'owner') await refuseLastOwner(tx, scope, row)
    await revokeOfPerson(tx, scope, { personId: row.id, what: 'all', at: deps.clock.now() })
    await deleteMember(tx, scope, row.id)
  })
  deps.authenticator.forget()
}

async function findMember(tx: Transaction, scope: TeamScope, id: string): Promise<MemberRow> {
  return mustBeMember(await memberById(tx, scope, id), id)
}

export function mustBeMember(row: MemberRow | undefined, id: string): MemberRow {
  if (row) return row
  throw new UserError('not_found', `There is no member "${id}", or this token may not see it.`)
}

/** Nobody gives what they do not have, or decides about somebody who has more. */
function refuseAbove(principal: Principal, role: Role): void {
  if (roles.indexOf(role) <= roles.indexOf(principal.role)) return
  throw new UserError('forbidden', `This is about the role ${role}, which is above your own (${principal.role}).`)
}

async function refuseLastOwner(tx: Transaction, scope: TeamScope, row: MemberRow): Promise<void> {
  if (row.joined_at === null || (await countOwners(tx, scope)) > 1) return
  throw new UserError('last_owner', `${row.name} is the last owner of the team: make somebody else an owner first.`)
}
