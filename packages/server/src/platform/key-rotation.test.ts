import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KeyRotationId } from '../kernel/ids.ts'
import { judgeMasterKey, type KeyRotation, type MasterKeyFacts, masterKeyResource } from './key-rotation.ts'

const key = { id: 'bbbbbbbbbbbbbbbb', isCurrent: true, createdAt: new Date('2026-08-22T09:00:00Z') }
const open: KeyRotation = {
  id: 'rot-1' as KeyRotationId,
  status: 'resealing',
  oldKeyId: 'aaaaaaaaaaaaaaaa',
  newKeyId: key.id,
  valueCount: 400,
  unreadableCount: 0,
  finishedAt: null,
}
const factsOf = (facts: Partial<MasterKeyFacts> = {}): MasterKeyFacts => ({
  key,
  sealed: 400,
  rotation: undefined,
  left: 0,
  isOnDisk: true,
  ...facts,
})

test('the key says in a sentence how it is', () => {
  const finished = { ...open, status: 'finished', finishedAt: new Date() } as const
  const sentences: readonly [facts: Partial<MasterKeyFacts>, status: string, message: RegExp][] = [
    [{}, 'ok', /^bbbbbbbbbbbbbbbb encrypts 400 values, since 2026-08-22$/],
    [{ sealed: 1, rotation: finished }, 'ok', /encrypts one value/],
    [{ rotation: { ...open, status: 'preparing', newKeyId: null } }, 'ok', /is being rotated: the new key is made/],
    [{ rotation: open, left: 280 }, 'ok', /^is being rotated: 120 of 400 values are encrypted with the new key, b/],
    [{ rotation: open, left: 500 }, 'ok', /: 0 of 400 values/],
    [{ rotation: { ...open, unreadableCount: 2 }, left: 2 }, 'warning', /aaaaaaaaaaaaaaaa, is kept: 2 values/],
    [{ isOnDisk: false }, 'failed', /is gone from keys\/: put it back/],
  ]
  for (const [facts, status, message] of sentences) {
    const judged = judgeMasterKey(factsOf(facts))
    assert.equal(judged.status, status)
    assert.match(judged.message, message)
  }
})

test('it is rotating for as long as a rotation is open', () => {
  assert.equal(masterKeyResource(factsOf()).status, 'settled')
  const rotating = masterKeyResource(factsOf({ rotation: open, left: 7 }))
  assert.deepEqual([rotating.status, rotating.values_left, rotating.id], ['rotating', 7, key.id])
})
