import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Queryable } from './database.ts'
import { queryPage, readStart, writeStart } from './keyset-page.ts'

const position = { createdAt: new Date('2026-08-22T09:30:00.123Z'), id: 'app-01j9abcdefghjkmnpqrstvwxyz' }

test('a token gives back the position it was made from', () => {
  const token = writeStart(position, { app_id: 'app-1', status: undefined })
  assert.match(token, /^[-_0-9A-Za-z]{1,512}$/)
  assert.deepEqual(readStart(token, { app_id: 'app-1' }), position)
})

test('a token given with other filters is refused', () => {
  const token = writeStart(position, { app_id: 'app-1' })
  for (const filters of [{}, { app_id: 'app-2' }, { app_id: 'app-1', status: 'live' }]) {
    assert.throws(() => readStart(token, filters), {
      code: 'invalid_page_token',
      target: { type: 'parameter', name: 'start' },
    })
  }
})

test('a token that no list has given is refused', () => {
  for (const start of [
    '',
    'x',
    Buffer.from('1 2 3 4').toString('base64url'),
    Buffer.from("1 '; x").toString('base64url'),
  ]) {
    assert.throws(() => readStart(start, {}), { code: 'invalid_page_token' })
  }
})

test('a page asks for one row more than its limit and gives a token only when there is one', async () => {
  const rows = [3, 2, 1].map((n) => ({ id: `app-${n}`, created_at: new Date(n) }))
  const asked: { sql: string; parameters: readonly unknown[] }[] = []
  const db: Queryable = {
    query: async <Row extends object>(sql: string, parameters: readonly unknown[] = []) => {
      asked.push({ sql, parameters })
      return rows.slice(0, Number(parameters.at(-1))) as unknown as Row[]
    },
  }
  const query = { sql: 'select * from apps a where a.team_id = $1', parameters: ['t'], alias: 'a', filters: {} }
  const first = await queryPage(db, { ...query, page: { limit: 2 } })
  assert.deepEqual(first.rows, rows.slice(0, 2))
  assert.deepEqual(asked[0]?.parameters, ['t', 3])
  assert.deepEqual(readStart(first.next ?? '', {}), { createdAt: new Date(2), id: 'app-2' })
  const all = await queryPage(db, { ...query, page: { limit: 3, start: first.next } })
  assert.equal(all.next, undefined)
  assert.match(asked[1]?.sql ?? '', /\(a\.created_at, a\.id\) < \(\$2::timestamptz, \$3\) order by/)
})
