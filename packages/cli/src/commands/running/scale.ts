import { type Environment, getEnvironment, updateEnvironment } from '@gantry/api'
import type { Input } from '../../command.ts'
import type { Context } from '../../context.ts'
import { scaleInWords } from '../../output/words.ts'
import { parseScale } from '../../parse-count.ts'

export async function run(context: Context, input: Input): Promise<void> {
  const scale = Object.fromEntries(input.arguments.map(parseScale))
  const client = await context.client()
  const params = { id: await context.environment() }
  if (input.arguments.length === 0) return show(context, await client.call(getEnvironment, { params }))
  const environment = await client.call(updateEnvironment, { params, body: { scale } })
  show(context, environment)
  if (!context.isJson) context.terminal.say('Instances start and end until it is so. Look: gantry ps')
}

function show({ terminal, isJson }: Context, environment: Environment): void {
  if (isJson) terminal.json(environment)
  else terminal.print(scaleInWords(environment.scale))
}
