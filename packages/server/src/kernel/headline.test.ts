import assert from 'node:assert/strict'
import { test } from 'node:test'
import { headline } from './headline.ts'

const told: readonly [message: string, head: string][] = [
  ['"npm ci" failed with exit code 1. It said:\n  npm error', '"npm ci" failed with exit code 1.'],
  ['"tsc" failed with exit code 2. Its last lines:\n  a\n  b', '"tsc" failed with exit code 2.'],
  ['web.1 ended. Its last output:\n  Error: no', 'web.1 ended.'],
  ['web.1 ended. It wrote no output.', 'web.1 ended. It wrote no output.'],
  ['', ''],
]

for (const [message, head] of told)
  test(`${JSON.stringify(message)} begins with ${head}`, () => assert.equal(headline(message), head))
