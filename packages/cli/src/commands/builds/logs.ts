import { listBuildLogs, listBuilds } from '@gantry/api'
import { printBuildLog } from '../../build-log.ts'
import { flag, type Input } from '../../command.ts'
import type { Context } from '../../context.ts'
import { CommandError, exitCodes } from '../../exit-codes.ts'
import { printable } from '../../output/printable.ts'

export async function run(context: Context, input: Input): Promise<void> {
  const client = await context.client()
  const id = await buildIdOf(context, input.arguments[0] ?? 'latest')
  if (flag(input, 'follow')) return await printBuildLog(context, client, id)
  for await (const line of client.items(listBuildLogs, { params: { id }, query: { limit: 1000 } })) {
    if (context.isJson) context.terminal.json(line)
    else context.terminal.print(printable(line.message))
  }
}

async function buildIdOf(context: Context, typed: string): Promise<string> {
  if (typed !== 'latest') return typed
  const client = await context.client()
  const environment = await context.environment()
  const { builds } = await client.call(listBuilds, { query: { environment_id: environment, limit: 1 } })
  if (builds[0]) return builds[0].id
  throw new CommandError(exitCodes.notFound, `Nothing was built for ${environment} yet.`)
}
