import { createMember, inviteMember, type Member } from '@gantry/api'
import { flag, type Input, textOption } from '../../command.ts'
import type { Context } from '../../context.ts'
import { findMember } from '../../find-member.ts'
import { parseRole } from '../../parse-role.ts'
import { parseUntil } from '../../parse-time.ts'

export async function run(context: Context, input: Input): Promise<void> {
  const [name = ''] = input.arguments
  const expires = textOption(input, 'expires')
  const end = expires === undefined ? {} : { expires_at: parseUntil(expires, context.now()) }
  const member = flag(input, 'again')
    ? await inviteAgain(context, name, end)
    : await invite(context, { name, role: textOption(input, 'role'), end })
  if (context.isJson) return context.terminal.json(member)
  const until = member.invitation?.expires_at.slice(0, 16).replace('T', ' ')
  context.terminal.say(
    `Invited ${member.name} as ${member.role}. The invitation is shown this once, and works once, until ${until} UTC.`,
  )
  context.terminal.say('They use it with: gantry join URL')
  context.terminal.print(member.invitation?.code ?? '')
}

interface Wishes {
  readonly name: string
  readonly role: string | undefined
  readonly end: { readonly expires_at?: string }
}

async function invite(context: Context, { name, role, end }: Wishes): Promise<Member> {
  const body = {
    name,
    ...(role !== undefined && { role: parseRole(role) }),
    ...(end.expires_at && { invitation: end }),
  }
  return await (await context.client()).call(createMember, { body })
}

async function inviteAgain(context: Context, name: string, end: Wishes['end']): Promise<Member> {
  const { id } = await findMember(context, name)
  return await (await context.client()).call(inviteMember, { params: { id }, body: end })
}
