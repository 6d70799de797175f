import { getApp, listEnvironments } from '@gantry/api'
import type { Input } from '../../command.ts'
import type { Context } from '../../context.ts'

export async function run(context: Context, input: Input): Promise<void> {
  const client = await context.client()
  const app = await client.call(getApp, { params: { id: input.arguments[0] ?? (await context.app()) } })
  const { terminal } = context
  if (context.isJson) return terminal.json(app)
  terminal.print(terminal.style('bold', app.name))
  terminal.print(`  git     ${app.git_url}`)
  terminal.print(`  branch  ${app.branch}`)
  if (app.root) terminal.print(`  root    ${app.root}`)
  for await (const environment of client.items(listEnvironments, { query: { app_id: app.id } })) {
    const release = environment.live_release?.name ?? 'nothing released yet'
    terminal.print(`  ${environment.name}: ${environment.status}, ${release}, ${environment.url}`)
  }
}
