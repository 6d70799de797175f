import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createFailpoints, noFailpoints } from './failpoint.ts'

test('without a file every failpoint is passed', () => {
  assert.equal(createFailpoints({ file: undefined, end: assert.fail }), noFailpoints)
})

test('a failpoint that the file names ends the process once', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gantry-test-failpoint-'))
  try {
    const file = join(folder, 'failpoints')
    writeFileSync(file, 'deploy.live.before\ndeploy.live.after\n')
    const ended: string[] = []
    const at = createFailpoints({ file, end: () => void ended.push(readFileSync(file, 'utf8')) })
    at('deploy.building.before')
    assert.deepEqual(ended, [])
    at('deploy.live.before')
    at('deploy.live.before')
    assert.deepEqual(ended, ['deploy.live.after\n'])
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('a failpoint that holds goes on when its file is removed, and holds once', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gantry-test-failpoint-'))
  try {
    const file = join(folder, 'failpoints')
    writeFileSync(file, 'deploy.live.before hold\n')
    let slept = 0
    const sleep = () => {
      if (++slept === 3) rmSync(`${file}.held`)
    }
    const at = createFailpoints({ file, end: assert.fail, sleep })
    at('deploy.live.before')
    assert.equal(slept, 3)
    at('deploy.live.before')
    assert.deepEqual([slept, existsSync(`${file}.held`)], [3, false])
  } finally {
    rmSync(folder, { recursive: true })
  }
})
