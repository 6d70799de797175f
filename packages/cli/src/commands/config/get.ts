import type { Input } from '../../command.ts'
import type { Context } from '../../context.ts'
import { CommandError, exitCodes } from '../../exit-codes.ts'
import { printable } from '../../output/printable.ts'
import { readConfig } from './read-config.ts'

export async function run(context: Context, input: Input): Promise<void> {
  const config = await readConfig(context, input)
  const [name = ''] = input.arguments
  const value = Object.hasOwn(config.variables, name) ? config.variables[name] : undefined
  if (value === undefined)
    throw new CommandError(exitCodes.notFound, `${name} is not set in ${await context.environment()}.`)
  if (context.isJson) context.terminal.json({ [name]: value })
  else context.terminal.write(`${context.terminal.isTerminal ? printable(value) : value}\n`)
}
