import { type Deploy, listDeploys } from '@gantry/api'
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
    pages: onePage(client.call(listDeploys, { query: { environment_id: environment, limit } })),
    rows: (page) => page.deploys,
    columns: columnsAt(context.now()),
    empty: `Nothing was deployed to ${environment} yet. Next: git push gantry main`,
  })
}

function columnsAt(now: Date): readonly Column<Deploy>[] {
  return [
    { title: 'DEPLOY', value: (deploy) => deploy.id },
    { title: 'STATUS', value: (deploy) => deploy.status, style: (deploy) => statusStyle(deploy.status) },
    { title: 'RELEASE', value: (deploy) => deploy.release?.name ?? '' },
    { title: 'COMMIT', value: (deploy) => deploy.commit_sha?.slice(0, 7) ?? '' },
    { title: 'WHEN', value: (deploy) => ago(deploy.created_at, now) },
    { title: 'TOOK', value: duration, optional: true },
    { title: 'KIND', value: (deploy) => deploy.kind, optional: true },
    {
      title: 'WHY',
      value: (deploy) => deploy.errors[0]?.message.split('\n')[0] ?? '',
      flexible: true,
      optional: true,
    },
  ]
}

function duration(deploy: Deploy): string {
  return deploy.finished_at ? took(Date.parse(deploy.finished_at) - Date.parse(deploy.created_at)) : ''
}
