import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { findBreaches } from './check-walls.ts'
import { root } from './install.mjs'

test('no import breaks a wall and no banned text stands in the code', () => {
  assert.deepEqual(findBreaches(), [])
})

test('no file takes the pathname of its URL for a path: a space in it would be %20', () => {
  const files = globSync('{packages,e2e,scripts,benchmarks}/**/*.{ts,mjs}', {
    cwd: root,
    exclude: (name) => name === 'node_modules' || name === 'dist',
  })
  assert.ok(files.length > 500)
  const wrong = files.filter((file) => /import\.meta\.url\)\.pathname/.test(readFileSync(join(root, file), 'utf8')))
  assert.deepEqual(wrong, [])
})
