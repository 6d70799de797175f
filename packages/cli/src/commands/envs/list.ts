import { type Environment, listEnvironments } from '@gantry/api'
import type { Context } from '../../context.ts'
import { printPages } from '../../output/pages.ts'
import { statusStyle } from '../../output/status-style.ts'
import type { Column } from '../../output/table.ts'
import { scaleInWords } from '../../output/words.ts'

const columns: readonly Column<Environment>[] = [
  { title: 'ENVIRONMENT', value: (environment) => environment.name },
  {
    title: 'STATUS',
    value: (environment) => environment.status,
    style: (environment) => statusStyle(environment.status),
  },
  { title: 'RELEASE', value: (environment) => environment.live_release?.name ?? '' },
  { title: 'SCALE', value: (environment) => scaleInWords(environment.scale), optional: true },
  { title: 'URL', value: (environment) => environment.url },
]

export async function run(context: Context): Promise<void> {
  const client = await context.client()
  const app = await context.app()
  await printPages(context, {
    pages: client.pages(listEnvironments, { query: { app_id: app } }),
    rows: (page) => page.environments,
    columns,
    empty: `${app} has no environment.`,
  })
}
