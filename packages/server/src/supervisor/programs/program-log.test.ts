import assert from 'node:assert/strict'
import { closeSync, mkdtempSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { openLog, rotateLog } from './program-log.ts'

test('a log that has grown is set aside, and its writer goes on in the empty file', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'gantry-test-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'a log')
  const writer = openLog(path)
  writeSync(writer, 'first\n')
  rotateLog(path, 6)
  assert.equal(readFileSync(path, 'utf8'), 'first\n')
  writeSync(writer, 'second\n')
  rotateLog(path, 6)
  writeSync(writer, 'third\n')
  assert.equal(readFileSync(path, 'utf8'), 'third\n')
  assert.equal(readFileSync(`${path}.1`, 'utf8'), 'first\nsecond\n')
  closeSync(writer)
})
