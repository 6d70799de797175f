import { type App, createApp } from '@gantry/api'
import { type Input, textOption } from '../../command.ts'
import type { Context } from '../../context.ts'
import { setRemote } from '../../git-remote.ts'

export async function run(context: Context, input: Input): Promise<void> {
  const client = await context.client()
  const [name = ''] = input.arguments
  const [root, branch] = [textOption(input, 'root'), textOption(input, 'branch')]
  const app = await client.call(createApp, { body: { name, ...(root && { root }), ...(branch && { branch }) } })
  if (context.isJson) return context.terminal.json(app)
  context.terminal.print(`Created ${context.terminal.style('bold', app.name)}.`)
  if (input.options.remote === false) return
  await connectFolder(context, app)
}

async function connectFolder(context: Context, app: App): Promise<void> {
  const outcome = await setRemote(context, app)
  if (outcome === 'no_repository') {
    context.terminal.say(`This folder is no git repository. Later: git remote add gantry ${app.git_url}`)
  } else if (outcome === 'other_remote') {
    context.terminal.say(
      `The remote \`gantry\` of this repository leads elsewhere and stays. To change it: git remote set-url gantry ${app.git_url}`,
    )
  } else {
    context.terminal.say(`Set the git remote \`gantry\`. Next: git push gantry ${app.branch}`)
  }
}
