import assert from 'node:assert/strict'
import { appendFile, chmod, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, type TestContext, test } from 'node:test'
import { ask } from './support/http.ts'
import { askLifecycle } from './support/lifecycle.ts'
import { startLoad } from './support/load.ts'
import { checkout, type Platform, run, startPlatform } from './support/platform.ts'
import { anApp, createProject } from './support/project.ts'

const env = { PATH: process.env.PATH ?? '', HOME: tmpdir() }
let folder: string
let oldCheckout: string
let platform: Platform | undefined
let missing: string | undefined

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gantry-e2e-'))
  await chmod(folder, 0o755)
  oldCheckout = join(folder, 'the old checkout')
  missing = await previousCheckout(oldCheckout)
  if (missing === undefined) platform = await startPlatform({ from: oldCheckout })
})
after(async () => {
  await platform?.destroy()
  await rm(folder, { recursive: true, force: true })
})

/** The previous commit with this checkout's node_modules; says what is missing when there is none. */
async function previousCheckout(target: string): Promise<string | undefined> {
  const git = (args: readonly string[], cwd = checkout) =>
    run('git', ['-c', `safe.directory=${checkout}`, ...args], { cwd, env })
  const commit = await git(['rev-parse', '--verify', '--quiet', 'HEAD^'])
  if (commit.exitCode !== 0) return 'this checkout has no previous commit'
  const cloned = await git(['clone', '--quiet', '--no-hardlinks', checkout, target], folder)
  assert.equal(cloned.exitCode, 0, cloned.output)
  const checkedOut = await git(['checkout', '--quiet', commit.stdout.trim()], target)
  assert.equal(checkedOut.exitCode, 0, checkedOut.output)
  const modules = [join(checkout, 'node_modules'), join(target, 'node_modules')]
  const copied = await run('cp', ['-al', ...modules], { env }) // links where it is one file system
  if (copied.exitCode !== 0) assert.equal((await run('cp', ['-a', ...modules], { env })).exitCode, 0)
  await appendFile(
    join(target, 'packages/server/src/main.ts'),
    '\n// whatever the commits hold, these are two builds\n',
  )
  return undefined
}

/** `gantry up --detach` of this checkout over a home where another build runs, under load: apps must never notice. */
async function upgradeTo(from: string, { home, env: environment, httpPort }: Platform, t: TestContext) {
  const instance = async () => (await ask(httpPort, 'shop.localhost')).headers['x-instance']
  const [before, runningInstance] = [await askLifecycle(home), await instance()]
  const load = startLoad({ port: httpPort, host: 'shop.localhost', keepAlive: 4, closing: 4, posting: 2 })
  t.after(() => load.stop())
  const upgraded = await run(join(from, 'gantry'), ['up', '--no-sample', '--detach'], { env: environment })
  const report = await load.stop()
  assert.equal(upgraded.exitCode, 0, upgraded.output)
  assert.match(upgraded.output, /apps keep serving/)
  assert.deepEqual(report.failures, [])
  const after = await askLifecycle(home)
  assert.notEqual(after.build, before.build)
  assert.equal(await instance(), runningInstance)
  t.diagnostic(`${report.requests} requests meanwhile, ${report.failures.length} failed`)
  return { before, after }
}

test('git pull and npm run up: the platform is the new one, apps keep serving, no request is lost', async (t) => {
  if (!platform) return t.skip(missing)
  const project = await createProject(platform, 'shop', anApp('v1'))
  assert.equal((await project.push()).exitCode, 0)
  const { before, after } = await upgradeTo(checkout, platform, t)
  for (const name of ['control-plane', 'router', 'postgres']) {
    const pids = [before, after].map(({ programs }) => programs.find((program) => program.name === name)?.pid)
    if (name === 'postgres') assert.equal(pids[0], pids[1])
    else assert.notEqual(pids[0], pids[1], name)
  }
  assert.equal((await project.release(anApp('v2'))).exitCode, 0)
  assert.equal((await ask(platform.httpPort, 'shop.localhost')).body, 'v2')
})

test('and back again, as long as both know the same database', async (t) => {
  if (!platform) return t.skip(missing)
  const folders = [checkout, oldCheckout].map((root) => join(root, 'packages/server/src/db/migrations'))
  const [here, there] = await Promise.all(folders.map((path) => readdir(path)))
  if (here?.length !== there?.length) return t.skip('this commit brings a migration, and those are never undone')
  await upgradeTo(oldCheckout, platform, t)
})
