import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findBreaches } from './check-walls.ts'

test('no import breaks a wall and no banned text stands in the code', () => {
  assert.deepEqual(findBreaches(), [])
})
