import { type Client, getEnvironment, type Instance, listInstances } from '@gantry/api'
import type { Context } from '../../context.ts'
import { statusStyle } from '../../output/status-style.ts'
import { type Column, printTable } from '../../output/table.ts'
import { span } from '../../output/words.ts'
import { type InstanceRow, instanceRows } from './instance-rows.ts'

export async function run(context: Context): Promise<void> {
  const client = await context.client()
  const environment = await context.environment()
  const query = { environment_id: environment, limit: 100 }
  if (context.isJson) {
    for await (const page of client.pages(listInstances, { query })) context.terminal.json(page)
    return
  }
  const [running, ended, { scale, label }] = await Promise.all([
    allInstances(client, query),
    client.call(listInstances, { query: { ...query, status: 'ended' } }),
    client.call(getEnvironment, { params: { id: environment } }),
  ])
  const rows = instanceRows(running, ended.instances, scale)
  if (rows.length === 0) context.terminal.say(`Nothing runs in ${label}.`)
  printTable(context.terminal, columnsAt(context.now()), rows)
}

async function allInstances(client: Client, query: { environment_id: string; limit: number }): Promise<Instance[]> {
  const found: Instance[] = []
  for await (const instance of client.items(listInstances, { query })) found.push(instance)
  return found
}

function columnsAt(now: Date): readonly Column<InstanceRow>[] {
  const age = ({ instance }: InstanceRow) => {
    if (instance.status === 'ended') return ''
    const since = Date.parse(instance.started_at ?? instance.created_at)
    return span(Math.max(0, Math.round((now.getTime() - since) / 1000)))
  }
  return [
    { title: 'NAME', value: ({ instance }) => instance.name },
    {
      title: 'STATUS',
      value: ({ instance }) => instance.status,
      style: ({ instance }) => statusStyle(instance.status),
    },
    { title: 'RELEASE', value: ({ instance }) => instance.release.name },
    { title: 'AGE', value: age, align: 'right' },
    { title: 'CRASHES', value: ({ instance }) => String(instance.crash_count), align: 'right' },
    { title: 'ADDRESS', value: ({ instance }) => instance.address ?? '', optional: true },
    { title: 'WHY', value: ({ why }) => why ?? '', flexible: true, optional: true },
  ]
}
