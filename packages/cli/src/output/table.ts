import { displayWidth } from './display-width.ts'
import { printableCell } from './printable.ts'
import type { Style, Terminal } from './terminal.ts'

export interface Column<Row> {
  readonly title: string
  /** Made safe for the terminal by the table. */
  readonly value: (row: Row) => string
  /** Cut to fit when the table is too wide; at most one column. */
  readonly flexible?: true
  /** Left out when nothing is in it, and when the table is too wide, the last such column first. */
  readonly optional?: true
  readonly align?: 'right'
  readonly style?: (row: Row) => Style | undefined
}

type Shape = Pick<Terminal, 'columns' | 'style'>

export function printTable<Row>(terminal: Terminal, columns: readonly Column<Row>[], rows: readonly Row[]): void {
  for (const line of formatTable(columns, rows, terminal)) terminal.print(line)
}

/** Rows as aligned columns, two spaces apart, no wider than the terminal where the columns allow. No row: no line. */
export function formatTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[], shape: Shape): string[] {
  if (rows.length === 0) return []
  const filled = columns.map((column) => measured(column, rows)).filter(hasWords)
  const shown = fit(filled, shape.columns)
  const header = shown.map(({ column, width }) =>
    padded(column.title, width, column.align, (t) => shape.style('dim', t)),
  )
  const lines = rows.map((row, index) =>
    shown.map(({ column, cells, width }) => {
      const format = column.style?.(row)
      return padded(cells[index] ?? '', width, column.align, (text) => (format ? shape.style(format, text) : text))
    }),
  )
  return [header, ...lines].map((cells) => cells.join('  ').trimEnd())
}

interface Measured<Row> {
  readonly column: Column<Row>
  readonly cells: readonly string[]
  readonly width: number
}

function measured<Row>(column: Column<Row>, rows: readonly Row[]): Measured<Row> {
  const cells = rows.map((row) => printableCell(column.value(row)))
  return { column, cells, width: Math.max(...[column.title, ...cells].map(displayWidth)) }
}

/** An optional column of which every cell is empty says nothing. */
function hasWords<Row>({ column, cells }: Measured<Row>): boolean {
  return !column.optional || cells.some((cell) => cell !== '')
}

const narrowest = 16

/** Leaves columns out and narrows the flexible one until the table is no wider than `width`, or nothing more can be done. */
function fit<Row>(all: readonly Measured<Row>[], width: number): readonly Measured<Row>[] {
  const least = ({ column, width }: Measured<Row>) => (column.flexible ? Math.min(narrowest, width) : width)
  let shown = all
  while (total(shown.map(least)) > width) {
    const last = shown.findLastIndex(({ column }) => column.optional)
    if (last < 0) break
    shown = shown.filter((_, index) => index !== last)
  }
  const excess = Math.max(0, total(shown.map((each) => each.width)) - width)
  return shown.map((each) =>
    each.column.flexible ? { ...each, width: Math.max(least(each), each.width - excess) } : each,
  )
}

function total(widths: readonly number[]): number {
  return widths.reduce((sum, width) => sum + width + 2, -2)
}

function padded(text: string, width: number, align: 'right' | undefined, style: (text: string) => string): string {
  const fitting = cut(text, width)
  const space = ' '.repeat(Math.max(0, width - displayWidth(fitting)))
  const styled = fitting === '' ? '' : style(fitting)
  return align === 'right' ? space + styled : styled + space
}

function cut(text: string, width: number): string {
  if (displayWidth(text) <= width) return text
  let [kept, used] = ['', 0]
  for (const char of text) {
    used += displayWidth(char)
    if (used > width - 1) break
    kept += char
  }
  return `${kept}…`
}
