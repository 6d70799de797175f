import { getMember, listMembers, type Member } from '@gantry/api'
import type { Context } from './context.ts'
import { CommandError, exitCodes } from './exit-codes.ts'

/** The member that is meant, by name or id. */
export async function findMember(context: Context, typed: string): Promise<Member> {
  const client = await context.client()
  if (typed.startsWith('per-')) return await client.call(getMember, { params: { id: typed } })
  for await (const member of client.items(listMembers, { query: { limit: 100 } })) {
    if (member.name.toLowerCase() === typed.toLowerCase()) return member
  }
  throw new CommandError(exitCodes.notFound, `Nobody in the team is called ${typed}.`, 'See: gantry members')
}
