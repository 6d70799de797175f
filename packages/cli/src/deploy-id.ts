import { listDeploys } from '@gantry/api'
import type { Context } from './context.ts'
import { CommandError, exitCodes } from './exit-codes.ts'

/** The id that was typed; `latest` is the newest deploy of the environment that is meant. */
export async function deployIdOf(context: Context, typed: string | undefined): Promise<string> {
  if (typed && typed !== 'latest') return typed
  const client = await context.client()
  const environment = await context.environment()
  const { deploys } = await client.call(listDeploys, { query: { environment_id: environment, limit: 1 } })
  if (deploys[0]) return deploys[0].id
  throw new CommandError(exitCodes.notFound, `Nothing was deployed to ${environment} yet.`)
}
