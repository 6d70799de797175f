import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Column, formatTable } from './table.ts'

interface Row {
  readonly name: string
  readonly count: number
  readonly why: string
}

const columns: readonly Column<Row>[] = [
  { title: 'NAME', value: ({ name }) => name },
  { title: 'COUNT', value: ({ count }) => String(count), align: 'right' },
  { title: 'KIND', value: () => 'a kind that is long', optional: true },
  { title: 'WHY', value: ({ why }) => why, flexible: true, optional: true },
]

const at = (width: number) => ({ columns: width, style: (_: string, text: string) => text })
const widest = (lines: readonly string[]) => Math.max(...lines.map((line) => [...line].length))
const long = 'because '.repeat(30).trim()

test('columns are aligned, numbers to the right, and lines have no space at their end', () => {
  assert.deepEqual(
    formatTable(
      columns.slice(0, 2),
      [
        { name: 'web', count: 5, why: '' },
        { name: 'worker', count: 12, why: '' },
      ],
      at(80),
    ),
    ['NAME    COUNT', 'web         5', 'worker     12'],
  )
})

test('a table fits 80 and 200 columns: the flexible column is cut, and at last left out', () => {
  const rows = [{ name: 'web', count: 5, why: long }]
  for (const width of [80, 200]) {
    const lines = formatTable(columns, rows, at(width))
    assert.equal(widest(lines), width)
    assert.match(lines[1] ?? '', /because…?.*…$/)
  }
  assert.deepEqual(formatTable(columns, rows, at(40)), ['NAME  COUNT  KIND', 'web       5  a kind that is long'])
  assert.deepEqual(formatTable(columns, rows, at(10)), ['NAME  COUNT', 'web       5'])
})

test('an optional column with nothing in it is left out', () => {
  assert.doesNotMatch(formatTable(columns, [{ name: 'web', count: 5, why: '' }], at(80)).join('\n'), /WHY/)
})

test('no row makes no line', () => assert.deepEqual(formatTable(columns, [], at(80)), []))

test('a hostile value stays in its cell', () => {
  const [, line] = formatTable(columns, [{ name: 'a\nb\u001b[31m\u202e', count: 1, why: '' }], at(200))
  assert.match(line ?? '', /^a\\nb\\u001b\[31m\\u202e +1/)
})

test('East Asian characters take two columns, combining marks none', () => {
  const lines = formatTable(
    columns.slice(0, 2),
    [
      { name: '漢字', count: 1, why: '' },
      { name: 'e\u0301e', count: 2, why: '' },
    ],
    at(80),
  )
  assert.deepEqual(lines, ['NAME  COUNT', '漢字      1', 'e\u0301e        2'])
})
