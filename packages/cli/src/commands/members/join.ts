import { hostname } from 'node:os'
import { createClient, createToken } from '@gantry/api'
import { type Input, textOption } from '../../command.ts'
import type { Context } from '../../context.ts'
import { CommandError, exitCodes } from '../../exit-codes.ts'
import { parseAddress, readSecret, signIn } from '../../sign-in.ts'

/** Trades an invitation for a token, once, and keeps that. */
export async function run(context: Context, input: Input): Promise<void> {
  const url = parseAddress(input.arguments[0] ?? '')
  const invitation = await readSecret(context, 'Invitation')
  if (invitation === '')
    throw new CommandError(exitCodes.usage, 'No invitation was given.', 'Ask for one: gantry members invite NAME')
  const name = textOption(input, 'name') ?? hostname()
  const made = await createClient({ baseUrl: url, token: invitation }).call(createToken, { body: { name } })
  await signIn(context, url, made.token ?? '')
}
