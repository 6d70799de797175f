import { listDeployLogs } from '@gantry/api'
import type { Input } from '../../command.ts'
import type { Context } from '../../context.ts'
import { deployIdOf } from '../../deploy-id.ts'
import { printable } from '../../output/printable.ts'

export async function run(context: Context, input: Input): Promise<void> {
  const client = await context.client()
  const id = await deployIdOf(context, input.arguments[0])
  for await (const line of client.items(listDeployLogs, { params: { id } })) {
    if (context.isJson) context.terminal.json(line)
    else context.terminal.print(printable(line.message))
  }
}
