import { createDeploy, listReleases } from '@gantry/api'
import { flag, type Input } from '../../command.ts'
import type { Context } from '../../context.ts'
import { CommandError, type ExitCode, exitCodes } from '../../exit-codes.ts'
import { showStarted } from './retry.ts'

export async function run(context: Context, input: Input): Promise<ExitCode> {
  const client = await context.client()
  const environment = await context.environment()
  const [name] = input.arguments
  const rollbackTo = name === undefined ? undefined : await releaseIdOf(context, environment, name)
  const body = {
    environment: { id: environment },
    kind: 'rollback' as const,
    keep_config: flag(input, 'keepConfig'),
    ...(rollbackTo && { rollback_to: { id: rollbackTo } }),
  }
  return await showStarted(context, input, await client.call(createDeploy, { body }))
}

async function releaseIdOf(context: Context, environment: string, name: string): Promise<string> {
  if (name.startsWith('rel-')) return name
  const wanted = name.startsWith('v') ? name : `v${name}`
  const client = await context.client()
  for await (const release of client.items(listReleases, { query: { environment_id: environment, limit: 100 } })) {
    if (release.name === wanted) return release.id
  }
  throw new CommandError(exitCodes.notFound, `${environment} has no release ${wanted}.`, 'See: gantry releases')
}
