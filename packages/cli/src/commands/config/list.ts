import type { Input } from '../../command.ts'
import type { Context } from '../../context.ts'
import { printable } from '../../output/terminal.ts'
import { readConfig } from './read-config.ts'

export async function run(context: Context, input: Input): Promise<void> {
  const config = await readConfig(context, input)
  if (context.isJson) return context.terminal.print(JSON.stringify(config))
  const names = Object.keys(config.variables).sort()
  if (names.length === 0) context.terminal.say('No variables are set.')
  for (const name of names) context.terminal.print(`${name}=${printable(config.variables[name] ?? '')}`)
}
