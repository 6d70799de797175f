import type { Member } from '@gantry/api'
import { withEntityTag } from '../kernel/entity-tag.ts'
import { UserError } from '../kernel/errors.ts'
import type { PersonId } from '../kernel/ids.ts'
import { type Principal, type Role, roles } from './principal.ts'

/** A person in a team. */
export interface MemberRow {
  readonly id: PersonId
  readonly name: string
  readonly role: Role
  readonly created_at: Date
  readonly joined_at: Date | null
}

/** Who changes whose membership, on the version that they saw. */
export interface MemberChange {
  readonly principal: Principal
  readonly id: string
  readonly ifMatch?: string | undefined
}

/** A code that was just made: shown once, kept as a hash. */
export interface NewInvitation {
  readonly code: string
  readonly expiresAt: Date
}

/** As the API shows it; with the invitation only where that was just made. */
export function memberResource(row: MemberRow, baseUrl: string, invitation?: NewInvitation): Member {
  const tagged = withEntityTag({
    id: row.id,
    href: `${baseUrl}/v1/members/${row.id}`,
    name: row.name,
    role: row.role,
    status: row.joined_at ? ('active' as const) : ('invited' as const),
    created_at: row.created_at.toISOString(),
    ...(row.joined_at ? { joined_at: row.joined_at.toISOString() } : {}),
  })
  if (!invitation) return tagged
  return { ...tagged, invitation: { code: invitation.code, expires_at: invitation.expiresAt.toISOString() } }
}

/** Nobody gives what they do not have, or decides about somebody who has more: throws `forbidden`. */
export function refuseAbove(principal: Principal, role: Role): void {
  if (roles.indexOf(role) <= roles.indexOf(principal.role)) return
  throw new UserError('forbidden', `This is about the role ${role}, which is above your own (${principal.role}).`)
}

/** Before somebody stops being an owner. `owners`: those who have joined; throws `last_owner` when this is the only one. */
export function refuseLastOwner(row: MemberRow, owners: number): void {
  if (row.role !== 'owner' || row.joined_at === null || owners > 1) return
  throw new UserError('last_owner', `${row.name} is the last owner of the team: make somebody else an owner first.`)
}
