import type { Context } from '../context.ts'
import { type Column, printTable } from './table.ts'

export interface Listing<Page, Row> {
  readonly pages: AsyncIterable<Page>
  readonly rows: (page: Page) => readonly Row[]
  readonly columns: readonly Column<Row>[]
  /** Said when there is no row: what to do to have one. */
  readonly empty: string
}

/** A list: with `--json` the pages of the API, a line each; else a table of everything. */
export async function printPages<Page, Row>(context: Context, listing: Listing<Page, Row>): Promise<void> {
  const rows: Row[] = []
  for await (const page of listing.pages) {
    if (context.isJson) context.terminal.json(page)
    else rows.push(...listing.rows(page))
  }
  if (context.isJson) return
  if (rows.length === 0) context.terminal.say(listing.empty)
  printTable(context.terminal, listing.columns, rows)
}

/** A list of one page. */
export async function* onePage<Page>(page: Promise<Page>): AsyncGenerator<Page> {
  yield await page
}
