import type { Input } from '../../command.ts'
import type { Context } from '../../context.ts'
import { CommandError, exitCodes } from '../../exit-codes.ts'
import { parseAddress, readSecret, signIn } from '../../sign-in.ts'

export async function run(context: Context, input: Input): Promise<void> {
  const url = parseAddress(input.arguments[0] ?? '')
  const token = await readSecret(context, 'Token')
  if (token === '')
    throw new CommandError(exitCodes.usage, 'No token was given.', 'Make one there: gantry tokens create NAME')
  await signIn(context, url, token)
}
