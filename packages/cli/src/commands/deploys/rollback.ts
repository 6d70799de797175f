import { createDeploy } from '@gantry/api'
import { flag, type Input } from '../../command.ts'
import type { Context } from '../../context.ts'
import type { ExitCode } from '../../exit-codes.ts'
import { findRelease } from '../../find-release.ts'
import { showStarted } from './retry.ts'

export async function run(context: Context, input: Input): Promise<ExitCode> {
  const client = await context.client()
  const environment = await context.environment()
  const [typed] = input.arguments
  const rollbackTo = typed === undefined ? undefined : await findRelease(context, typed)
  const body = {
    environment: { id: environment },
    kind: 'rollback' as const,
    keep_config: flag(input, 'keepConfig'),
    ...(rollbackTo && { rollback_to: { id: rollbackTo.id } }),
  }
  return await showStarted(context, input, await client.call(createDeploy, { body }))
}
