import { deleteApp, getApp } from '@gantry/api'
import { type Input, textOption } from '../../command.ts'
import type { Context } from '../../context.ts'
import { CommandError, exitCodes } from '../../exit-codes.ts'

export async function run(context: Context, input: Input): Promise<void> {
  const client = await context.client()
  const app = await client.call(getApp, { params: { id: input.arguments[0] ?? (await context.app()) } })
  const typed = textOption(input, 'confirm') ?? (await askForName(context, app.name))
  if (typed !== app.name) {
    throw new CommandError(exitCodes.usage, `Nothing was deleted: the name of the app is ${app.name}.`)
  }
  await client.call(deleteApp, { params: { id: app.id }, ifMatch: app.etag })
  context.terminal.say(`Deleted ${app.name}.`)
}

async function askForName(context: Context, name: string): Promise<string> {
  if (!context.terminal.isTerminal) {
    throw new CommandError(exitCodes.usage, `Deleting ${name} has to be confirmed.`, `Add: --confirm ${name}`)
  }
  const { text } = await import('@clack/prompts')
  const typed = await text({ message: `This deletes ${name} with its releases, config and logs. Type its name:` })
  return typeof typed === 'string' ? typed : ''
}
