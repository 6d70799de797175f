import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { checkout, run } from './support/platform.ts'

let folder: string
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gantry-test-'))
})
after(() => rm(folder, { recursive: true, force: true }))

const env = Object.fromEntries(
  Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined),
)

async function npm(args: readonly string[], cwd: string): Promise<string> {
  const done = await run('npm', args, { cwd, env, timeoutMs: 300_000 })
  assert.equal(done.exitCode, 0, done.output)
  return done.stdout
}

test('the packed packages install in an empty folder, and gantry answers there', async (t) => {
  await npm(['pack', '--workspaces', '--ignore-scripts=false', '--pack-destination', folder], checkout)
  const tarballs = (await readdir(folder)).filter((name) => name.endsWith('.tgz'))
  assert.equal(tarballs.length, 3)
  await writeFile(join(folder, 'package.json'), '{ "private": true }')
  await npm(['install', '--ignore-scripts', ...tarballs.map((name) => `./${name}`)], folder)
  const gantry = join(folder, 'node_modules', '.bin', 'gantry')
  const version = await run(gantry, ['--version'], { env })
  assert.equal(version.exitCode, 0, version.output)
  assert.match(version.stdout, /^gantry [0-9]+\.[0-9]+\.[0-9]+\n$/)
  const times: number[] = []
  for (let i = 0; i < 5; i++) {
    const start = performance.now()
    await run(gantry, ['--version'], { env })
    times.push(performance.now() - start)
  }
  t.diagnostic(`gantry --version, warm: ${Math.round(times.sort((a, b) => a - b)[2] ?? 0)} ms (median of 5)`)
  const help = await run(gantry, ['--help'], { env })
  assert.match(help.stdout, /apps create/)
})
