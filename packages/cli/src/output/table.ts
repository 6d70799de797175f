export interface Column<Row> {
  readonly title: string
  readonly value: (row: Row) => string
  /** Cut to fit when the table is too wide; at most one column. */
  readonly flexible?: true
  readonly align?: 'right'
}

/** Rows as aligned columns, two spaces apart, no wider than `width` where a flexible column allows. No row: no line. */
export function formatTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[], width: number): string[] {
  if (rows.length === 0) return []
  const cells = [
    columns.map((column) => column.title),
    ...rows.map((row) => columns.map((column) => column.value(row))),
  ]
  const widths = columns.map((_, index) => Math.max(...cells.map((line) => displayWidth(line[index] ?? ''))))
  const excess = widths.reduce((sum, w) => sum + w, 2 * (columns.length - 1)) - width
  const flexible = columns.findIndex((column) => column.flexible)
  if (excess > 0 && flexible >= 0) widths[flexible] = Math.max(8, (widths[flexible] ?? 0) - excess)
  return cells.map((line) =>
    line
      .map((cell, index) => pad(cut(cell, widths[index] ?? 0), widths[index] ?? 0, columns[index]?.align))
      .join('  ')
      .trimEnd(),
  )
}

function pad(text: string, width: number, align: 'right' | undefined): string {
  const space = ' '.repeat(Math.max(0, width - displayWidth(text)))
  return align === 'right' ? space + text : text + space
}

function cut(text: string, width: number): string {
  if (displayWidth(text) <= width) return text
  return `${[...text].slice(0, Math.max(0, width - 1)).join('')}…`
}

function displayWidth(text: string): number {
  return [...text].length
}
