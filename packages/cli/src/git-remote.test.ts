import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import type { App } from '@gantry/api'
import { contextFor, recordTerminal } from '../test/support/run-command.ts'
import { setRemote } from './git-remote.ts'
import { runArgv, spawnArgv } from './kernel/spawn-argv.ts'

let root: string
let home: string
let project: string
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'gantry-test-'))
  home = join(root, "home of o'neil")
  project = join(root, 'a project')
  for (const folder of [home, project]) await mkdir(folder)
})
afterEach(() => rm(root, { recursive: true }))

const app = { name: 'shop', git_url: 'http://localhost:4400/git/shop.git', branch: 'main' } as App

function environment(): Record<string, string> {
  return { HOME: home, GIT_CONFIG_NOSYSTEM: '1', GIT_TERMINAL_PROMPT: '0', PATH: process.env.PATH ?? '' }
}

async function git(cwd: string, args: readonly string[], input?: string): Promise<string> {
  const done = await runArgv(spawnArgv, 'git', args, { cwd, env: environment(), ...(input && { input }) })
  assert.equal(done.exitCode, 0, done.stderr)
  return done.stdout
}

async function set(cwd: string, wanted: App = app): Promise<string> {
  const env = { ...environment(), GANTRY_URL: 'http://localhost:4400', GANTRY_TOKEN: 'secret' }
  return await setRemote(contextFor(recordTerminal().terminal, { cwd, env }), wanted)
}

/** What git would send to the platform. */
async function credentials(cwd: string, host = 'localhost:4400'): Promise<string> {
  const asked = await runArgv(spawnArgv, 'git', ['credential', 'fill'], {
    cwd,
    env: environment(),
    input: `protocol=http\nhost=${host}\n\n`,
  })
  return asked.stdout
}

test('git has the remote, and the token for this platform alone, in a file that only its owner reads', async () => {
  await git(project, ['init', '--quiet'])
  assert.equal(await set(project), 'set')
  assert.equal((await git(project, ['remote', 'get-url', 'gantry'])).trim(), app.git_url)
  assert.match(await credentials(project), /username=gantry\npassword=secret\n/)
  assert.doesNotMatch(await credentials(project, 'example.com'), /password/)
  const file = join(home, '.config/gantry/git-credentials')
  assert.equal((await stat(file)).mode & 0o777, 0o600)
  assert.equal((await stat(join(file, '..'))).mode & 0o777, 0o700)
  assert.doesNotMatch(await readFile(join(project, '.git/config'), 'utf8'), /secret/)
})

test('another time it says the same once, and a platform that moved is followed', async () => {
  await git(project, ['init', '--quiet'])
  for (const git_url of [app.git_url, app.git_url, 'http://localhost:4500/git/shop.git']) {
    assert.equal(await set(project, { ...app, git_url }), 'set')
  }
  assert.equal(
    (await git(project, ['remote', 'get-url', '--all', 'gantry'])).trim(),
    'http://localhost:4500/git/shop.git',
  )
  const helpers = await git(project, ['config', '--local', '--get-all', 'credential.http://localhost:4400.helper'])
  assert.equal(helpers.trimEnd().split('\n').length, 2)
})

test('a remote that leads elsewhere stays as it is', async () => {
  await git(project, ['init', '--quiet'])
  for (const url of ['git@example.com:me/gantry.git', '../gantry', 'http://localhost:4400/git/other.git']) {
    await git(project, ['remote', 'add', 'gantry', url])
    assert.equal(await set(project), 'other_remote')
    assert.equal((await git(project, ['remote', 'get-url', 'gantry'])).trim(), url)
    await git(project, ['remote', 'remove', 'gantry'])
  }
})

test('it works in a folder below the top and in a worktree', async () => {
  await git(project, ['init', '--quiet', '--initial-branch=main'])
  await writeFile(join(project, 'file'), '')
  await git(project, ['add', '.'])
  await git(project, ['-c', 'user.name=a', '-c', 'user.email=a@b', 'commit', '--quiet', '-m', 'one'])
  const tree = join(root, 'a tree')
  await git(project, ['worktree', 'add', '--quiet', '-b', 'other', tree])
  const below = join(tree, 'below')
  await mkdir(below)
  assert.equal(await set(below), 'set')
  assert.match(await credentials(tree), /password=secret/)
  assert.match(await credentials(project), /password=secret/)
})

test('a folder without a repository is left alone', async () => assert.equal(await set(project), 'no_repository'))
