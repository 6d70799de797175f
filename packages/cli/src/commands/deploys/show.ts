import { type Deploy, type DeployEvent, getDeploy, listDeployEvents } from '@gantry/api'
import type { Input } from '../../command.ts'
import type { Context } from '../../context.ts'
import { deployIdOf } from '../../deploy-id.ts'
import { printFacts } from '../../output/facts.ts'
import { wrap } from '../../output/help.ts'
import { printable, printableCell } from '../../output/printable.ts'
import { statusStyle } from '../../output/status-style.ts'
import { took } from '../../output/words.ts'

export async function run(context: Context, input: Input): Promise<void> {
  const client = await context.client()
  const id = await deployIdOf(context, input.arguments[0])
  const deploy = await client.call(getDeploy, { params: { id } })
  const { terminal } = context
  if (context.isJson) return terminal.json(deploy)
  const status = terminal.style(statusStyle(deploy.status), deploy.status)
  terminal.print(`${terminal.style('bold', deploy.id)}  ${status}${waiting(deploy)}`)
  printFacts(terminal, factsOf(deploy))
  for (const error of deploy.errors) {
    terminal.print(`  ${terminal.style('red', error.code)}: ${printable(error.message)}`)
  }
  terminal.print('')
  for await (const event of client.items(listDeployEvents, { params: { id } })) printStep(context, deploy, event)
}

function waiting({ wait_reason: reason }: Deploy): string {
  return reason ? ` (${printableCell(reason)})` : ''
}

/** How long after the beginning, what it came to, and how the message begins: the error above has all of it. */
function printStep({ terminal }: Context, deploy: Deploy, event: DeployEvent): void {
  const after = took(Math.max(0, Date.parse(event.at) - Date.parse(deploy.created_at)))
  const head = `  ${after.padStart(8)}  ${event.to_status.padEnd(11)}  `
  const [first = '', ...rest] = wrap(printableCell(beginningOf(event.message)), terminal.columns - head.length)
  terminal.print(`${head}${first}`)
  for (const line of rest) terminal.print(' '.repeat(head.length) + line)
}

function beginningOf(message: string): string {
  return (message.split('\n')[0] ?? '').replace(/ (?:Its last (?:output|lines)|It said):$/, '')
}

function factsOf(deploy: Deploy): [string, string | undefined][] {
  return [
    ['app', `${deploy.app.name}, ${deploy.environment.name}`],
    ['kind', deploy.kind],
    ['commit', deploy.commit_sha],
    ['build', deploy.build?.id],
    ['release', deploy.release?.name],
    ['url', deploy.url],
    ['by', `${deploy.created_by}, ${deploy.created_at}`],
    ['retry of', deploy.retry_of?.id],
  ]
}
