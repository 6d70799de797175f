import { createEnvironment } from '@gantry/api'
import type { Input } from '../../command.ts'
import type { Context } from '../../context.ts'

export async function run(context: Context, input: Input): Promise<void> {
  const client = await context.client()
  const [name = ''] = input.arguments
  const environment = await client.call(createEnvironment, { body: { app: { id: await context.app() }, name } })
  if (context.isJson) return context.terminal.json(environment)
  context.terminal.print(`Created ${context.terminal.style('bold', environment.label)}: ${environment.url}`)
  context.terminal.say(`Next: gantry deploy --app ${environment.app.name} --env ${environment.name}`)
}
