/**
 * `npm test`: installs what is missing and passes everything that needs nothing but this machine. The last line is
 * `N passed, N failed, N skipped`; the lines before it name what failed and what was skipped, with the reason.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ensureInstalled, environment, findNode, root, run } from './install.mjs'

await ensureInstalled()
const node = findNode()
const bin = (name) => join(root, 'node_modules', '.bin', name)
const scratch = mkdtempSync(join(tmpdir(), 'gantry-test-totals-'))
const totals = { passed: 0, failed: 0, skipped: 0, skippedTests: [], failedTests: [] }
const source = ['--conditions=gantry-source']
const replies = join(scratch, 'replies.txt')

await step('format and lint', bin('biome'), ['check', '.'])
await step('walls', node, [...source, 'scripts/check-walls.ts'])
await step('types', bin('tsc'), ['-p', 'tsconfig.tests.json'])
await step('API linters', node, [...source, 'scripts/lint-api.ts'])
await tests('tests beside the code', 2, ['packages/*/src/**/*.test.ts', 'scripts/**/*.test.ts'])
await tests('tests of parts together', 1, ['packages/*/test/**/*.test.ts'])
await tests('scenarios', 1, ['e2e/**/*.test.ts'])

if (existsSync(replies)) await run(node, [...source, 'scripts/unseen-replies.ts', replies])
rmSync(scratch, { recursive: true, force: true })
for (const name of totals.skippedTests) console.log(`skipped: ${name}`)
for (const name of totals.failedTests) console.log(`FAILED: ${name}`)
console.log(`${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`)
process.exitCode = totals.failed === 0 ? 0 : 1

/** A check that passes or fails as a whole. */
async function step(name, file, args) {
  console.log(`\n== ${name}`)
  const start = performance.now()
  const code = await run(file, args)
  console.log(`${name}: ${code === 0 ? 'passed' : `FAILED (exit code ${code})`} in ${seconds(start)}`)
  if (code === 0) totals.passed++
  else {
    totals.failed++
    totals.failedTests.push(name)
  }
}

async function tests(name, concurrency, patterns) {
  console.log(`\n== ${name}`)
  const start = performance.now()
  const report = join(scratch, 'report.json')
  rmSync(report, { force: true })
  const reporters = [
    '--test-reporter=spec',
    '--test-reporter-destination=stdout',
    `--test-reporter=${join(root, 'scripts', 'test-totals.mjs')}`,
    `--test-reporter-destination=${report}`,
  ]
  const limits = [`--test-concurrency=${concurrency}`, '--test-timeout=900000']
  const code = await run(
    node,
    [...source, 'scripts/run-tests.ts', ...limits, ...reporters, ...patterns],
    environment({ CI: '1', GANTRY_RECORD_REPLIES: replies }),
  )
  const found = existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')) : undefined
  for (const key of ['passed', 'failed', 'skipped']) totals[key] += found?.[key] ?? 0
  totals.skippedTests.push(...(found?.skippedTests ?? []))
  totals.failedTests.push(...(found?.failedTests ?? []))
  if (code !== 0 && !found?.failed) {
    totals.failed++
    totals.failedTests.push(`${name} (exit code ${code})`)
  }
  console.log(
    `${name}: ${found?.passed ?? 0} passed, ${found?.failed ?? 0} failed, ${found?.skipped ?? 0} skipped in ${seconds(start)}`,
  )
}

function seconds(start) {
  return `${((performance.now() - start) / 1000).toFixed(1)} s`
}
