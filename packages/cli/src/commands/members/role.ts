import { updateMember } from '@gantry/api'
import type { Input } from '../../command.ts'
import type { Context } from '../../context.ts'
import { findMember } from '../../find-member.ts'
import { parseRole } from '../../parse-role.ts'

export async function run(context: Context, input: Input): Promise<void> {
  const [typed = '', roleText = ''] = input.arguments
  const role = parseRole(roleText)
  const { id, etag } = await findMember(context, typed)
  const member = await (await context.client()).call(updateMember, { params: { id }, body: { role }, ifMatch: etag })
  if (context.isJson) context.terminal.json(member)
  else context.terminal.say(`${member.name} is ${member.role} now.`)
}
