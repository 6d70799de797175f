/**
 * `npm run check`: what is worth waiting for before every commit, in under a minute. Everything is run, then told. Tests that
 * start a database or a supervisor are left to `npm test`.
 */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { findNode, root } from './install.mjs'
import { unitTests } from './unit-tests.ts'

const node = findNode()
const bin = (name: string) => join(root, 'node_modules', '.bin', name)
const source = '--conditions=gantry-source'

const checks: readonly (readonly [name: string, file: string, args: readonly string[]])[] = [
  ['format and lint', bin('biome'), ['check', '.']],
  ['walls', node, [source, 'scripts/check-walls.ts']],
  ['types', bin('tsc'), ['-p', 'tsconfig.tests.json']],
  ['unit tests', node, [source, '--test', '--test-concurrency=2', '--test-reporter=dot', ...unitTests(root)]],
]

const start = performance.now()
let failures = 0
for (const [name, file, args] of checks) {
  const began = performance.now()
  const child = spawn(file, args, { cwd: root, stdio: 'inherit' })
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', resolve)
  })
  if (code !== 0) failures++
  console.log(`${code === 0 ? 'ok    ' : 'FAILED'} ${name} (${seconds(began)})`)
}
console.log(`${failures === 0 ? 'all passed' : `${failures} failed`} in ${seconds(start)}`)
process.exitCode = failures === 0 ? 0 : 1

function seconds(since: number): string {
  return `${((performance.now() - since) / 1000).toFixed(1)} s`
}
