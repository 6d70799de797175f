import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ago, bytes, scaleInWords, span, took } from './words.ts'

test('spans are told in the largest unit that fits', () => {
  const told = [0, 59, 60, 3599, 3600, 172_799, 172_800].map(span)
  assert.deepEqual(told, ['0 s', '59 s', '1 min', '59 min', '1 h', '47 h', '2 d'])
})

test('what is ahead, by clocks that differ, was just now; what is unknown is nothing', () => {
  const now = new Date('2026-08-22T09:30:00Z')
  assert.equal(ago('2026-08-22T09:30:02Z', now), '0 s ago')
  assert.equal(ago(undefined, now), '')
})

test('durations and sizes have two or three digits', () => {
  assert.deepEqual([took(320.4), took(1449)], ['320 ms', '1.4 s'])
  assert.deepEqual([999, 1000, 12_345, 3_400_000, 5e15].map(bytes), ['999 B', '1.0 kB', '12 kB', '3.4 MB', '5000 TB'])
})

test('a scale is told as it is typed', () => assert.equal(scaleInWords({ web: 3, worker: 0 }), 'web=3 worker=0'))
