import { listDeployLogs } from '@gantry/api'
import type { Input } from '../../command.ts'
import type { Context } from '../../context.ts'
import { deployIdOf } from '../../deploy-id.ts'
import { printable } from '../../output/terminal.ts'

export async function run(context: Context, input: Input): Promise<void> {
  const client = await context.client()
  const id = await deployIdOf(context, input.arguments[0])
  for await (const line of client.items(listDeployLogs, { params: { id } })) {
    context.terminal.print(context.isJson ? JSON.stringify(line) : printable(line.message))
  }
}
