import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { silentLogger } from '../../kernel/logger.ts'
import { openFences } from './fences.ts'

test('a number that cannot be written down fences all the same, and is written with the next that can', () => {
  const folder = mkdtempSync(join(tmpdir(), 'fences-'))
  const path = join(folder, 'fences')
  const open = () => openFences(path, { now: () => new Date(), log: silentLogger })
  const fences = open()
  rmSync(path)
  mkdirSync(path) // as a full disk does: nothing can be written there
  fences.check({ scope: 'env-1', number: 7 })
  assert.throws(() => fences.check({ scope: 'env-1', number: 6 }), /older than 7/)
  rmdirSync(path)
  fences.check({ scope: 'env-2', number: 8 })
  const next = open()
  assert.throws(() => next.check({ scope: 'env-1', number: 6 }), /older than 7/)
  assert.throws(() => next.check({ scope: 'env-2', number: 7 }), /older than 8/)
  rmSync(folder, { recursive: true })
})
