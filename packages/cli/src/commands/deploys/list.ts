import { type Deploy, listDeploys } from '@gantry/api'
import { type Input, textOption } from '../../command.ts'
import type { Context } from '../../context.ts'
import { formatTable } from '../../output/table.ts'
import { ago, took } from '../../output/words.ts'
import { parseCount } from '../../parse-count.ts'

export async function run(context: Context, input: Input): Promise<void> {
  const client = await context.client()
  const limit = parseCount(textOption(input, 'limit') ?? '20', 100)
  const page = await client.call(listDeploys, { query: { environment_id: await context.environment(), limit } })
  if (context.isJson) return context.terminal.print(JSON.stringify(page))
  const columns = [
    { title: 'DEPLOY', value: (deploy: Deploy) => deploy.id },
    { title: 'STATUS', value: (deploy: Deploy) => deploy.status },
    { title: 'KIND', value: (deploy: Deploy) => deploy.kind },
    { title: 'RELEASE', value: (deploy: Deploy) => deploy.release?.name ?? '' },
    { title: 'COMMIT', value: (deploy: Deploy) => deploy.commit_sha?.slice(0, 7) ?? '' },
    { title: 'TOOK', value: duration },
    { title: 'WHEN', value: (deploy: Deploy) => ago(deploy.created_at, context.now()) },
    {
      title: 'WHY',
      value: (deploy: Deploy) => deploy.errors[0]?.message.split('\n')[0] ?? '',
      flexible: true as const,
    },
  ]
  for (const line of formatTable(columns, page.deploys, context.terminal.columns)) context.terminal.print(line)
}

function duration(deploy: Deploy): string {
  return deploy.finished_at ? took(Date.parse(deploy.finished_at) - Date.parse(deploy.created_at)) : ''
}
