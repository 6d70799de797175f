import { type Deploy, getDeploy, listDeployEvents } from '@gantry/api'
import type { Input } from '../../command.ts'
import type { Context } from '../../context.ts'
import { deployIdOf } from '../../deploy-id.ts'
import { printable } from '../../output/printable.ts'

export async function run(context: Context, input: Input): Promise<void> {
  const client = await context.client()
  const id = await deployIdOf(context, input.arguments[0])
  const deploy = await client.call(getDeploy, { params: { id } })
  const { terminal } = context
  if (context.isJson) return terminal.json(deploy)
  terminal.print(
    `${terminal.style('bold', deploy.id)}  ${deploy.status}${deploy.wait_reason ? ` (${deploy.wait_reason})` : ''}`,
  )
  for (const [name, value] of factsOf(deploy)) if (value) terminal.print(`  ${name.padEnd(9)}${printable(value)}`)
  for (const error of deploy.errors)
    terminal.print(`  ${terminal.style('red', error.code)}: ${printable(error.message)}`)
  terminal.print('')
  for await (const event of client.items(listDeployEvents, { params: { id } })) {
    terminal.print(`  ${event.at}  ${event.to_status.padEnd(12)} ${printable(event.message)}`)
  }
}

function factsOf(deploy: Deploy): [string, string | undefined][] {
  return [
    ['app', `${deploy.app.name}, ${deploy.environment.name}`],
    ['kind', deploy.kind],
    ['commit', deploy.commit_sha],
    ['build', deploy.build?.id],
    ['release', deploy.release?.name],
    ['url', deploy.url],
    ['by', deploy.created_by],
    ['retry of', deploy.retry_of?.id],
  ]
}
