import { deleteEnvironment, getEnvironment } from '@gantry/api'
import { type Input, textOption } from '../../command.ts'
import { confirmName } from '../../confirm-name.ts'
import { type Context, labelOf } from '../../context.ts'

export async function run(context: Context, input: Input): Promise<void> {
  const client = await context.client()
  const [name = ''] = input.arguments
  const label = labelOf(await context.app(), name)
  const environment = await client.call(getEnvironment, { params: { id: label } })
  await confirmName(context, { name: environment.name, what: label, given: textOption(input, 'confirm') })
  await client.call(deleteEnvironment, { params: { id: environment.id }, ifMatch: environment.etag })
  context.terminal.say(`Deleted ${label}.`)
}
