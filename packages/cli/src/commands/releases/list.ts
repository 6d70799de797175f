import { listReleases, type Release } from '@gantry/api'
import type { Context } from '../../context.ts'
import { printPages } from '../../output/pages.ts'
import type { Column } from '../../output/table.ts'
import { ago } from '../../output/words.ts'

export async function run(context: Context): Promise<void> {
  const client = await context.client()
  const environment = await context.environment()
  await printPages(context, {
    pages: client.pages(listReleases, { query: { environment_id: environment } }),
    rows: (page) => page.releases,
    columns: columnsAt(context.now()),
    empty: `${environment} has no release yet. Next: git push gantry main`,
  })
}

function columnsAt(now: Date): readonly Column<Release>[] {
  return [
    { title: 'RELEASE', value: (release) => release.name, style: (release) => (release.is_live ? 'bold' : undefined) },
    { title: 'LIVE', value: (release) => (release.is_live ? 'live' : ''), style: () => 'green' },
    { title: 'COMMIT', value: (release) => release.commit_sha?.slice(0, 7) ?? '' },
    { title: 'BY', value: (release) => release.created_by, optional: true },
    { title: 'WHEN', value: (release) => ago(release.created_at, now) },
    { title: 'WHAT', value: reasonOf, flexible: true },
  ]
}

/** What made it, in words. */
export function reasonOf(release: Release): string {
  if (release.rollback_of) return `rollback to ${release.rollback_of.name}`
  return release.reason === 'config' ? 'changed config' : release.reason
}
