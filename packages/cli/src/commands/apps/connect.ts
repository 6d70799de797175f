import { type App, getApp } from '@gantry/api'
import type { Input } from '../../command.ts'
import type { Context } from '../../context.ts'
import { type ExitCode, exitCodes } from '../../exit-codes.ts'
import { type RemoteOutcome, setRemote } from '../../git-remote.ts'

export async function run(context: Context, input: Input): Promise<ExitCode> {
  const client = await context.client()
  const app = await client.call(getApp, { params: { id: input.arguments[0] ?? (await context.app()) } })
  if (context.isJson) context.terminal.json(app)
  const outcome = await connectFolder(context, app)
  if (outcome === 'no_repository') return exitCodes.usage
  return outcome === 'other_remote' ? exitCodes.conflict : exitCodes.ok
}

/** Makes the repository of this folder push to the app, and says what came of it. */
export async function connectFolder(context: Context, app: App): Promise<RemoteOutcome> {
  const outcome = await setRemote(context, app)
  if (outcome === 'no_repository') {
    context.terminal.say(`This folder is no git repository. In the one of your code: gantry apps connect ${app.name}`)
  } else if (outcome === 'other_remote') {
    context.terminal.say(
      `The remote \`gantry\` of this repository leads elsewhere and stays. To change it: git remote set-url gantry ${app.git_url}`,
    )
  } else {
    context.terminal.say(`Set the git remote \`gantry\`. Next: git push gantry ${app.branch}`)
  }
  return outcome
}
