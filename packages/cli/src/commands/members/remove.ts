import { deleteMember } from '@gantry/api'
import type { Input } from '../../command.ts'
import type { Context } from '../../context.ts'
import { findMember } from '../../find-member.ts'

export async function run(context: Context, input: Input): Promise<void> {
  const { id, name, etag } = await findMember(context, input.arguments[0] ?? '')
  await (await context.client()).call(deleteMember, { params: { id }, ifMatch: etag })
  context.terminal.say(`Removed ${name}. All their tokens stopped working just now.`)
}
