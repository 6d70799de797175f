import assert from 'node:assert/strict'
import { test } from 'node:test'
import { root } from './install.mjs'
import { unitTests } from './unit-tests.ts'

test('what reaches a server is no unit test, directly or through a support', () => {
  const chosen = unitTests(root)
  assert.ok(chosen.includes('packages/server/src/running/plan-steps.test.ts'))
  for (const file of ['running/rollouts', 'supervisor/instance-verbs', 'db/database'])
    assert.ok(!chosen.includes(`packages/server/src/${file}.test.ts`), file)
})
