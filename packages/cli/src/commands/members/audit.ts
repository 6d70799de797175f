import { type AuditEvent, listAuditEvents } from '@gantry/api'
import { flag, type Input, textOption } from '../../command.ts'
import type { Context } from '../../context.ts'
import { onePage, printPages } from '../../output/pages.ts'
import type { Column } from '../../output/table.ts'
import { ago } from '../../output/words.ts'
import { parseCount } from '../../parse-count.ts'

export async function run(context: Context, input: Input): Promise<void> {
  const client = await context.client()
  const action = textOption(input, 'action')
  const limit = parseCount(textOption(input, 'limit') ?? '50', { max: 100 })
  const query = { limit, ...(action && { action }), ...(flag(input, 'refused') && { outcome: 'refused' as const }) }
  if (flag(input, 'export')) {
    const all = client.items(listAuditEvents, { query: { ...query, limit: 100 } })
    for await (const event of all) context.terminal.json(event)
    return
  }
  await printPages(context, {
    pages: onePage(client.call(listAuditEvents, { query })),
    rows: (page) => page.audit_events,
    columns: columnsAt(context.now()),
    empty: 'Nothing was changed and nothing refused.',
  })
}

function columnsAt(now: Date): readonly Column<AuditEvent>[] {
  return [
    { title: 'WHEN', value: (event) => ago(event.created_at, now) },
    { title: 'WHO', value: (event) => event.actor.replace(/ \(tok-[0-9a-z]+\)$/, '') },
    { title: 'WHAT', value: (event) => event.action },
    {
      title: 'OUTCOME',
      value: (event) => event.outcome,
      style: (event) => (event.outcome === 'refused' ? 'red' : undefined),
    },
    { title: 'FROM', value: (event) => event.address ?? '', optional: true },
    { title: 'OBJECT', value: (event) => event.object, flexible: true, optional: true },
  ]
}
