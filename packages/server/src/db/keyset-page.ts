import { createHash } from 'node:crypto'
import { UserError } from '../kernel/errors.ts'
import type { Queryable } from './database.ts'

/** What a list endpoint is asked for. `start` is the token that the page before gave. */
export interface PageRequest {
  readonly limit: number
  readonly start?: string | undefined
}

export interface Page<Row> {
  readonly rows: readonly Row[]
  /** Token of the next page; absent on the last one. */
  readonly next?: string
}

/** The values a list is narrowed by, as the caller gave them: a token is bound to them. */
export type PageFilters = Readonly<Record<string, string | undefined>>

/** The place of a row in the order of every list: newest first, then by id. */
export interface PagePosition {
  readonly createdAt: Date
  readonly id: string
}

export interface PageQuery {
  /** A whole SELECT that ends in its WHERE clause; its rows have `created_at` (whole milliseconds) and `id`. */
  readonly sql: string
  readonly parameters: readonly unknown[]
  /** Alias of the table that the order comes from, as in `select … from apps a`. */
  readonly alias: string
  readonly page: PageRequest
  readonly filters: PageFilters
}

/**
 * One page of a list, by keyset: it costs the rows of the page, wherever in the list it lies. Throws `invalid_page_token`
 * on a token that is malformed or was given with other filters.
 */
export async function queryPage<Row extends { id: string; created_at: Date }>(
  db: Queryable,
  query: PageQuery,
): Promise<Page<Row>> {
  const { alias, page, filters } = query
  const position = page.start === undefined ? undefined : readStart(page.start, filters)
  const parameters = [...query.parameters]
  let sql = query.sql
  if (position) {
    parameters.push(position.createdAt, position.id)
    sql += ` and (${alias}.created_at, ${alias}.id) < ($${parameters.length - 1}::timestamptz, $${parameters.length})`
  }
  parameters.push(page.limit + 1)
  sql += ` order by ${alias}.created_at desc, ${alias}.id desc limit $${parameters.length}`
  const rows = await db.query<Row>(sql, parameters)
  const last = rows[page.limit - 1]
  if (rows.length <= page.limit || !last) return { rows }
  return { rows: rows.slice(0, page.limit), next: writeStart({ createdAt: last.created_at, id: last.id }, filters) }
}

/** The token that continues after `position`. Opaque to callers, at most 512 characters of `[-_0-9A-Za-z]`. */
export function writeStart(position: PagePosition, filters: PageFilters): string {
  const text = [position.createdAt.getTime(), position.id, fingerprint(filters)].join(' ')
  return Buffer.from(text, 'utf8').toString('base64url')
}

/** Throws `invalid_page_token` when the token is not ours or was given for other filters. */
export function readStart(start: string, filters: PageFilters): PagePosition {
  const [ms = '', id = '', mark, ...rest] = Buffer.from(start, 'base64url').toString('utf8').split(' ')
  const isWhole = rest.length === 0 && /^\d{1,15}$/.test(ms) && /^[-0-9a-z]{1,64}$/.test(id)
  if (!isWhole) throw badStart('is not one that a list has given')
  if (mark !== fingerprint(filters)) throw badStart('was given for a list with other filters')
  return { createdAt: new Date(Number(ms)), id }
}

function badStart(why: string): UserError {
  return new UserError('invalid_page_token', `The paging token ${why}. Start again without "start".`, {
    target: { type: 'parameter', name: 'start' },
  })
}

function fingerprint(filters: PageFilters): string {
  const given = Object.entries(filters).filter(([, value]) => value !== undefined)
  given.sort(([a], [b]) => (a < b ? -1 : 1))
  return createHash('sha256').update(JSON.stringify(given)).digest('base64url').slice(0, 16)
}
