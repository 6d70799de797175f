import type { Input } from '../../command.ts'
import type { Context } from '../../context.ts'
import { printableCell } from '../../output/printable.ts'
import { readConfig } from './read-config.ts'

export async function run(context: Context, input: Input): Promise<void> {
  const config = await readConfig(context, input)
  if (context.isJson) return context.terminal.json(config)
  const names = Object.keys(config.variables).sort()
  if (names.length === 0) context.terminal.say('No variables are set.')
  for (const name of names) context.terminal.print(`${name}=${printableCell(config.variables[name] ?? '')}`)
}
