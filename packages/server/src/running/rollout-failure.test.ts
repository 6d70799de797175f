import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Instance } from './instance.ts'
import { describeRolloutFailure } from './rollout-failure.ts'

const instance = {
  processType: 'web',
  position: 1,
  endReason: 'exit code 1',
  releaseId: 'rel-1',
} as unknown as Instance

function messageFor(lastLines: readonly string[]): string {
  const facts = { cause: 'exited', listeners: [], lastCheck: undefined, bootLimitSeconds: 60 } as const
  return describeRolloutFailure({ ...facts, instance, lastLines }).message
}

test('what was thrown is shown, and not the part of its stack that is of Node.js', () => {
  const message = messageFor([
    '/app/server.js:1',
    'throw new Error("out of order")',
    '^',
    '',
    'Error: out of order',
    '    at Object.<anonymous> (/app/server.js:1:7)',
    '    at Module._compile (node:internal/modules/cjs/loader:1929:14)',
    '    at Object..js (node:internal/modules/cjs/loader:2060:10)',
    '    at Module.load (node:internal/modules/cjs/loader:1651:32)',
    '    at Module._load (node:internal/modules/cjs/loader:1443:12)',
    '    at wrapModuleLoad (node:internal/modules/cjs/loader:261:19)',
    '    at Module.executeUserEntryPoint [as runMain] (node:internal/modules/run_main:154:5)',
    '    at node:internal/main/run_main_module:33:47',
    '',
    'Node.js v24.21.0',
  ])
  assert.match(message, /exit code 1\. Its last output:\n {2}\/app\/server\.js:1\n/)
  assert.match(
    message,
    /\n {2}Error: out of order\n {6}at Object\.<anonymous> \(\/app\/server\.js:1:7\)\n {2}Node\.js v24/,
  )
  assert.doesNotMatch(message, /node:internal/)
})

test('of much output the last ten lines are shown, and none says so', () => {
  const message = messageFor(Array.from({ length: 30 }, (_, index) => `line ${index}`))
  assert.match(message, /Its last output:\n {2}line 20\n(?: {2}line 2\d\n){8} {2}line 29$/)
  assert.match(messageFor([' ']), /It wrote no output\.$/)
})
