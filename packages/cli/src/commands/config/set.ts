import type { Config } from '@gantry/api'
import { flag, type Input } from '../../command.ts'
import type { Context } from '../../context.ts'
import { CommandError, type ExitCode, exitCodes } from '../../exit-codes.ts'
import { followDeploy } from '../../follow-deploy.ts'
import { changeConfig } from './read-config.ts'

export async function run(context: Context, input: Input): Promise<ExitCode> {
  const config = await changeConfig(context, input, Object.fromEntries(input.arguments.map(parsePair)))
  return await showChange(context, input, config)
}

function parsePair(pair: string): [string, string] {
  const at = pair.indexOf('=')
  if (at > 0) return [pair.slice(0, at), pair.slice(at + 1)]
  throw new CommandError(exitCodes.usage, `${pair} is not of the form NAME=value.`)
}

/** Says what the change led to and follows the deploy that it began, if any. */
export async function showChange(context: Context, input: Input, config: Config): Promise<ExitCode> {
  const { terminal } = context
  if (config.deploy && !flag(input, 'detach')) {
    const exitCode = await followDeploy(context, config.deploy.id, { quiet: context.isJson })
    if (context.isJson) terminal.json(config)
    return exitCode
  }
  if (context.isJson) terminal.json(config)
  else if (config.deploy) terminal.say(`Deploying: gantry deploys watch ${config.deploy.id}`)
  else if (config.kind === 'build')
    terminal.say(`Build config is at version ${config.version}; the next build sees it.`)
  else terminal.say(`Config is at version ${config.version}.`)
  return exitCodes.ok
}
