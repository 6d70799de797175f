import { createApp } from '@gantry/api'
import { type Input, textOption } from '../../command.ts'
import type { Context } from '../../context.ts'
import { connectFolder } from './connect.ts'

export async function run(context: Context, input: Input): Promise<void> {
  const client = await context.client()
  const [name = ''] = input.arguments
  const [root, branch] = [textOption(input, 'root'), textOption(input, 'branch')]
  const app = await client.call(createApp, { body: { name, ...(root && { root }), ...(branch && { branch }) } })
  if (context.isJson) return context.terminal.json(app)
  context.terminal.print(`Created ${context.terminal.style('bold', app.name)}.`)
  if (input.options.remote === false) return
  await connectFolder(context, app)
}
