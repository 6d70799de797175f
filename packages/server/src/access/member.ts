import type { Member } from '@gantry/api'
import { withEntityTag } from '../kernel/entity-tag.ts'
import type { PersonId } from '../kernel/ids.ts'
import type { Role } from './principal.ts'

/** A person in a team. */
export interface MemberRow {
  readonly id: PersonId
  readonly name: string
  readonly role: Role
  readonly created_at: Date
  readonly joined_at: Date | null
}

/** A code that was just made: shown once, kept as a hash. */
export interface NewInvitation {
  readonly code: string
  readonly expiresAt: Date
}

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
