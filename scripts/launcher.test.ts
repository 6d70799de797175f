import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { promisify } from 'node:util'
import { root } from './install.mjs'

const folder = mkdtempSync(join(tmpdir(), 'gantry-test-'))
after(() => rmSync(folder, { recursive: true }))

test('the command of a checkout that npm has not installed, or not to its end, says what to do', async () => {
  copyFileSync(join(root, 'gantry'), join(folder, 'gantry'))
  const refused = () => promisify(execFile)(join(folder, 'gantry'), ['--version'])
  const saying = { code: 1, stderr: /^gantry: this checkout is not installed yet\. .*npm run up/ }
  await assert.rejects(refused, saying)
  mkdirSync(join(folder, 'node_modules', 'somewhat'), { recursive: true })
  await assert.rejects(refused, saying)
})
