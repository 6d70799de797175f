import type { Input } from '../../command.ts'
import type { Context } from '../../context.ts'
import type { ExitCode } from '../../exit-codes.ts'
import { changeConfig } from './read-config.ts'
import { showChange } from './set.ts'

export async function run(context: Context, input: Input): Promise<ExitCode> {
  const config = await changeConfig(context, input, Object.fromEntries(input.arguments.map((name) => [name, null])))
  return await showChange(context, input, config)
}
