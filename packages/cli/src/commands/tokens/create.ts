import { createToken, isPermission, type Permission, permissions } from '@gantry/api'
import { type Input, textOption } from '../../command.ts'
import type { Context } from '../../context.ts'
import { CommandError, exitCodes } from '../../exit-codes.ts'
import { parseUntil } from '../../parse-time.ts'

export async function run(context: Context, input: Input): Promise<void> {
  const [name = ''] = input.arguments
  const [scopes, expires, app] = ['scopes', 'expires', 'app'].map((option) => textOption(input, option))
  const body = {
    name,
    ...(scopes && { scopes: parseScopes(scopes) }),
    ...(expires && { expires_at: parseUntil(expires, context.now()) }),
    ...(app && { app: { id: app } }),
  }
  const token = await (await context.client()).call(createToken, { body })
  if (context.isJson) return context.terminal.json(token)
  context.terminal.say(`Made the token ${token.name} (${token.id}). It is shown this once:`)
  context.terminal.print(token.token ?? '')
}

function parseScopes(text: string): Permission[] {
  return text.split(',').map((scope) => {
    if (isPermission(scope.trim())) return scope.trim() as Permission
    throw new CommandError(exitCodes.usage, `${scope} is not a scope.`, `There are: ${permissions.join(', ')}`)
  })
}
