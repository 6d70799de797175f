import type { Input } from '../../command.ts'
import type { Context } from '../../context.ts'
import { deployIdOf } from '../../deploy-id.ts'
import type { ExitCode } from '../../exit-codes.ts'
import { followDeploy } from '../../follow-deploy.ts'

export async function run(context: Context, input: Input): Promise<ExitCode> {
  return await followDeploy(context, await deployIdOf(context, input.arguments[0]))
}
