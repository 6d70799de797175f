import { listMembers, type Member } from '@gantry/api'
import type { Context } from '../../context.ts'
import { printPages } from '../../output/pages.ts'
import type { Column } from '../../output/table.ts'
import { ago } from '../../output/words.ts'

export async function run(context: Context): Promise<void> {
  const client = await context.client()
  const now = context.now()
  const columns: readonly Column<Member>[] = [
    { title: 'NAME', value: (member) => member.name, flexible: true },
    { title: 'ROLE', value: (member) => member.role },
    {
      title: 'STATUS',
      value: (member) => member.status,
      style: (member) => (member.status === 'active' ? 'green' : 'dim'),
    },
    { title: 'SINCE', value: (member) => ago(member.joined_at ?? member.created_at, now) },
    { title: 'ID', value: (member) => member.id, optional: true },
  ]
  await printPages(context, {
    pages: client.pages(listMembers),
    rows: (page) => page.members,
    columns,
    empty: 'There is no member.',
  })
}
