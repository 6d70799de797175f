import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { ask } from './support/http.ts'
import { type Platform, startPlatform } from './support/platform.ts'
import { anApp, createProject, type Project } from './support/project.ts'

let platform: Platform
let project: Project
before(async () => {
  platform = await startPlatform()
  project = await createProject(platform, 'shop', anApp('one'))
  assert.equal((await project.push()).exitCode, 0)
})
after(() => platform.destroy())

const withBuild = (script: string) => ({
  ...anApp('two'),
  'package.json': JSON.stringify({ name: 'scenario', scripts: { start: 'node server.js', build: script } }),
})

test('a failing build fails the push, says why, and leaves the old release alone', async () => {
  const failed = await project.release(withBuild('echo cannot find the widget; exit 7'))
  assert.equal(failed.exitCode, 1)
  assert.match(failed.output, /cannot find the widget/)
  assert.match(failed.output, /deploy failed/)
  assert.equal((await ask(platform.httpPort, 'shop.localhost')).body, 'one')
})

test('pushing the same commit again tries again', async () => {
  const again = await project.push()
  assert.equal(again.exitCode, 1)
  assert.match(again.output, /cannot find the widget/)
})

test('after the mend the same branch goes live', async () => {
  const mended = await project.release(withBuild('echo built > built.txt'))
  assert.equal(mended.exitCode, 0, mended.output)
  assert.equal((await ask(platform.httpPort, 'shop.localhost')).body, 'two')
})

const refusals: readonly [string, Record<string, string>, RegExp][] = [
  ['something no builder recognises', { 'README.md': 'hello\n' }, /[Ll]ooked [\s\S]*package\.json[\s\S]*Procfile/],
  [
    'a Procfile that does not parse',
    { 'package.json': '{}', Procfile: 'web: node server.js\nthis is no line\n' },
    /Procfile[\s\S]*line 2/,
  ],
  ['a package.json that is not JSON', { 'package.json': '{ "name": }', 'server.js': '' }, /package\.json[\s\S]*line 1/],
]
for (const [what, files, expected] of refusals) {
  test(`${what} is refused with what was found`, async () => {
    const name = `bad${refusals.findIndex(([other]) => other === what)}`
    const bad = await createProject(platform, name, files)
    const pushed = await bad.push()
    assert.equal(pushed.exitCode, 1)
    assert.match(pushed.output, expected)
  })
}

test('a push of an empty tree is refused', async () => {
  const empty = await createProject(platform, 'empty', {})
  const pushed = await empty.push()
  assert.equal(pushed.exitCode, 1)
  assert.match(pushed.output, /empty/)
})

test('a push to an unknown app says how to create it', async () => {
  const pushed = await platform.git(['push', `http://localhost:${platform.apiPort}/git/nowhere.git`, 'main'], {
    cwd: project.folder,
    env: {
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: 'http.extraHeader',
      GIT_CONFIG_VALUE_0: `Authorization: Basic ${Buffer.from(`x:${await platform.token()}`).toString('base64')}`,
    },
  })
  assert.notEqual(pushed.exitCode, 0)
  assert.match(pushed.output, /gantry apps create/)
})
