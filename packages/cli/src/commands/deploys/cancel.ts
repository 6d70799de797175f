import { cancelDeploy } from '@gantry/api'
import type { Input } from '../../command.ts'
import type { Context } from '../../context.ts'
import { deployIdOf } from '../../deploy-id.ts'

export async function run(context: Context, input: Input): Promise<void> {
  const client = await context.client()
  const id = await deployIdOf(context, input.arguments[0])
  const deploy = await client.call(cancelDeploy, { params: { id } })
  if (context.isJson) context.terminal.json(deploy)
  else context.terminal.say(`Cancelling ${id}; what is live stays.`)
}
