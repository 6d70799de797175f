import { type App, type Environment, listApps, listEnvironments } from '@gantry/api'
import type { Context } from '../../context.ts'
import { printTable } from '../../output/table.ts'
import { ago } from '../../output/words.ts'

export async function run(context: Context): Promise<void> {
  const client = await context.client()
  if (context.isJson) {
    for await (const page of client.pages(listApps)) context.terminal.json(page)
    return
  }
  const apps: App[] = []
  for await (const app of client.items(listApps)) apps.push(app)
  if (apps.length === 0) return context.terminal.say('No app yet. Make one: gantry apps create NAME')
  const production = new Map<string, Environment>()
  for await (const environment of client.items(listEnvironments)) {
    if (environment.name === 'production') production.set(environment.app.id, environment)
  }
  const columns = [
    { title: 'APP', value: (app: App) => app.name },
    { title: 'STATUS', value: (app: App) => production.get(app.id)?.status ?? '' },
    { title: 'RELEASE', value: (app: App) => production.get(app.id)?.live_release?.name ?? '' },
    { title: 'URL', value: (app: App) => production.get(app.id)?.url ?? '', flexible: true as const },
    { title: 'CREATED', value: (app: App) => ago(app.created_at, context.now()) },
  ]
  printTable(context.terminal, columns, apps)
}
