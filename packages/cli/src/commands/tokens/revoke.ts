import { deleteToken } from '@gantry/api'
import type { Input } from '../../command.ts'
import type { Context } from '../../context.ts'

export async function run(context: Context, input: Input): Promise<void> {
  const [id = ''] = input.arguments
  await (await context.client()).call(deleteToken, { params: { id } })
  context.terminal.say(`Revoked ${id}. It stopped working just now.`)
}
