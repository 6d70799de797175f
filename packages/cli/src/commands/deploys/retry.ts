import { type Deploy, getDeploy, retryDeploy } from '@gantry/api'
import { flag, type Input } from '../../command.ts'
import type { Context } from '../../context.ts'
import { deployIdOf } from '../../deploy-id.ts'
import { type ExitCode, exitCodes } from '../../exit-codes.ts'
import { followDeploy } from '../../follow-deploy.ts'

export async function run(context: Context, input: Input): Promise<ExitCode> {
  const client = await context.client()
  const id = await deployIdOf(context, input.arguments[0])
  return await showStarted(context, input, await client.call(retryDeploy, { params: { id } }))
}

/** A deploy that was just accepted: its id with `--detach`, else its way to the end. */
export async function showStarted(context: Context, input: Input, deploy: Deploy): Promise<ExitCode> {
  if (flag(input, 'detach')) {
    if (context.isJson) context.terminal.json(deploy)
    else context.terminal.say(`Accepted: gantry deploys watch ${deploy.id}`)
    return exitCodes.ok
  }
  const exitCode = await followDeploy(context, deploy.id, { quiet: context.isJson })
  if (context.isJson) {
    context.terminal.json(await (await context.client()).call(getDeploy, { params: { id: deploy.id } }))
  }
  return exitCode
}
