import { type Build, listBuilds } from '@gantry/api'
import { type Input, textOption } from '../../command.ts'
import type { Context } from '../../context.ts'
import { onePage, printPages } from '../../output/pages.ts'
import { statusStyle } from '../../output/status-style.ts'
import type { Column } from '../../output/table.ts'
import { ago, took } from '../../output/words.ts'
import { parseCount } from '../../parse-count.ts'

export async function run(context: Context, input: Input): Promise<void> {
  const client = await context.client()
  const limit = parseCount(textOption(input, 'limit') ?? '20', { max: 100 })
  const environment = await context.environment()
  await printPages(context, {
    pages: onePage(client.call(listBuilds, { query: { environment_id: environment, limit } })),
    rows: (page) => page.builds,
    columns: columnsAt(context.now()),
    empty: `Nothing was built for ${environment} yet. Next: git push gantry main`,
  })
}

function columnsAt(now: Date): readonly Column<Build>[] {
  return [
    { title: 'BUILD', value: (build) => build.id },
    { title: 'STATUS', value: (build) => build.status, style: (build) => statusStyle(build.status) },
    { title: 'BUILDER', value: (build) => build.builder ?? '' },
    { title: 'COMMIT', value: (build) => build.commit_sha.slice(0, 7) },
    { title: 'WHEN', value: (build) => ago(build.created_at, now) },
    { title: 'TOOK', value: duration, optional: true },
    {
      title: 'WHY',
      value: (build) => build.errors[0]?.message.split('\n')[0] ?? '',
      flexible: true,
      optional: true,
    },
  ]
}

function duration(build: Build): string {
  if (!build.started_at || !build.finished_at) return ''
  return took(Date.parse(build.finished_at) - Date.parse(build.started_at))
}
