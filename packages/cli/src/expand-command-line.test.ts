import assert from 'node:assert/strict'
import { test } from 'node:test'
import { commands } from './commands/index.ts'
import { expandCommandLine } from './expand-command-line.ts'

const definitions = commands.map(({ definition }) => definition)
const cases: readonly [typed: string, meant: string][] = [
  ['', '--help'],
  ['help', '--help'],
  ['help deploys', 'deploys --help'],
  ['help deploys list', 'deploys list --help'],
  ['help deplys', 'deplys'],
  ['deploys', 'deploys list'],
  ['deploys --app shop', 'deploys list --app shop'],
  ['releases -h', 'releases -h'],
  ['deploys --help', 'deploys --help'],
  ['deploys shw', 'deploys shw'],
  ['deploys show latest', 'deploys show latest'],
  ['service', 'service'],
  ['restart', 'restart'],
  ['--version', '--version'],
]

for (const [typed, meant] of cases) {
  test(`\`gantry ${typed}\` means \`gantry ${meant}\``, () => {
    assert.deepEqual(expandCommandLine(typed.split(' ').filter(Boolean), definitions), meant.split(' '))
  })
}
