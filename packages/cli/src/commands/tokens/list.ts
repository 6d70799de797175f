import { listTokens, permissions, type Token } from '@gantry/api'
import type { Context } from '../../context.ts'
import { printPages } from '../../output/pages.ts'
import type { Column } from '../../output/table.ts'
import { ago } from '../../output/words.ts'

export async function run(context: Context): Promise<void> {
  const client = await context.client()
  await printPages(context, {
    pages: client.pages(listTokens),
    rows: (page) => page.tokens,
    columns: columnsAt(context.now()),
    empty: 'There is no token.',
  })
}

function columnsAt(now: Date): readonly Column<Token>[] {
  return [
    { title: 'TOKEN', value: (token) => token.id },
    { title: 'NAME', value: (token) => token.name },
    { title: 'STATUS', value: (token) => statusOf(token, now), style: (token) => styleOf(token, now) },
    { title: 'USED', value: (token) => ago(token.last_used_at, now) || 'never' },
    { title: 'EXPIRES', value: (token) => token.expires_at?.slice(0, 10) ?? 'never', optional: true },
    { title: 'BEGINS', value: (token) => token.prefix, optional: true },
    { title: 'APP', value: (token) => token.app?.name ?? '', optional: true },
    { title: 'SCOPES', value: scopesOf, flexible: true, optional: true },
  ]
}

function statusOf(token: Token, now: Date): string {
  if (token.revoked_at) return 'revoked'
  return token.expires_at && Date.parse(token.expires_at) <= now.getTime() ? 'expired' : 'valid'
}

function styleOf(token: Token, now: Date): 'green' | 'dim' {
  return statusOf(token, now) === 'valid' ? 'green' : 'dim'
}

function scopesOf(token: Token): string {
  return token.scopes.length === permissions.length ? 'all' : token.scopes.join(',')
}
