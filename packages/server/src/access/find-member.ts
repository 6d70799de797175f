import type { Queryable } from '../db/database.ts'
import { UserError } from '../kernel/errors.ts'
import type { MemberRow } from './member.ts'
import { memberById } from './member-store.ts'
import type { TeamScope } from './principal.ts'

/** The member of this id. Throws `not_found`, the same for one of another team. */
export async function findMember(db: Queryable, scope: TeamScope, id: string): Promise<MemberRow> {
  const row = await memberById(db, scope, id)
  if (row) return row
  throw new UserError('not_found', `There is no member "${id}", or this token may not see it.`)
}
