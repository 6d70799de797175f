import { deleteApp, getApp } from '@gantry/api'
import { type Input, textOption } from '../../command.ts'
import { confirmName } from '../../confirm-name.ts'
import type { Context } from '../../context.ts'

export async function run(context: Context, input: Input): Promise<void> {
  const client = await context.client()
  const app = await client.call(getApp, { params: { id: input.arguments[0] ?? (await context.app()) } })
  await confirmName(context, { name: app.name, what: app.name, given: textOption(input, 'confirm') })
  await client.call(deleteApp, { params: { id: app.id }, ifMatch: app.etag })
  context.terminal.say(`Deleted ${app.name}.`)
}
