import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseCount, parseScale } from './parse-count.ts'
import { parseSince, parseUntil } from './parse-time.ts'

const now = new Date('2026-08-22T12:00:00Z')
const isUsage = { name: 'CommandError', exitCode: 2 }

test('a time is so long ago, or one of RFC 3339', () => {
  const read = ['90s', '10m', '2h', '3d', '2026-08-22T09:30:00Z', '2026-08-22T09:30:00.5+02:00'].map((text) =>
    parseSince(text, now),
  )
  assert.deepEqual(read, [
    '2026-08-22T11:58:30.000Z',
    '2026-08-22T11:50:00.000Z',
    '2026-08-22T10:00:00.000Z',
    '2026-08-19T12:00:00.000Z',
    '2026-08-22T09:30:00.000Z',
    '2026-08-22T07:30:00.500Z',
  ])
  assert.equal(parseUntil('90d', now), '2026-11-20T12:00:00.000Z')
})

for (const text of [
  '',
  'now',
  '10',
  '10 m',
  '-1h',
  '1.5h',
  '2026-08-22',
  '2026-08-22 09:30:00Z',
  '2026-13-45T09:30:00Z',
  '999999d',
]) {
  test(`${JSON.stringify(text)} is no time`, () => assert.throws(() => parseSince(text, now), isUsage))
}

test('counts have limits', () => {
  assert.equal(parseCount('100', { max: 100 }), 100)
  assert.equal(parseCount('0', { min: 0, max: 100 }), 0)
  for (const text of ['0', '101', '1e1', '-1', ' 1', '', '99999999999']) {
    assert.throws(() => parseCount(text, { max: 100 }), isUsage)
  }
})

test('a scale is a process type and a count', () => {
  assert.deepEqual(parseScale('web=3'), ['web', 3])
  assert.deepEqual(parseScale('my-worker_2=0'), ['my-worker_2', 0])
  for (const text of ['web', 'web=', '=3', 'web=x', 'web=-1', '1web=2', 'web=1=2']) {
    assert.throws(() => parseScale(text), isUsage)
  }
  assert.throws(() => parseScale('web=1000'), { ...isUsage, message: '1000 is not a number from 0 to 100.' })
})
