import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { createTestBuilds, type Files, type TestBuilds } from '../../test/support/builds.ts'
import { UserError } from '../kernel/errors.ts'
import { isRoot, startTestSupervisor, type TestSupervisor } from '../supervisor/test-supervisor.fixture.ts'
import type { BuildRequest } from './index.ts'

const never = new AbortController().signal

/** Real npm, real registry, real supervisor. */
describe('npm', () => {
  let supervisor: TestSupervisor
  let t: TestBuilds
  before(async () => {
    supervisor = await startTestSupervisor()
    t = await createTestBuilds({ supervisor })
  })
  after(async () => {
    await t.close()
    await supervisor.close()
  })

  async function build(files: Files) {
    const request = await t.request(files)
    const { artifactId } = await t.builds.run(request, never)
    const artifact = await t.builds.artifact(t.test.db, t.scope, artifactId)
    assert.ok(artifact)
    return { artifact, request }
  }

  const outputOf = (request: BuildRequest): string =>
    supervisor
      .lines(`build/${request.app.id}/${request.build.id}`)
      .map(({ text }) => text)
      .join('\n')

  it('installs production dependencies into a layer, and nothing when the lockfile has not changed', async () => {
    const files = withLockfile({ 'index.js': 'require("is-number")' })
    const { artifact, request } = await build(files)
    const modules = artifact.links.node_modules ?? ''
    assert.deepEqual((await readdir(modules)).sort(), ['.package-lock.json', 'is-number'])
    assert.equal((await stat(join(modules, 'is-number/package.json'))).mode & 0o222, 0)
    if (isRoot) assert.equal((await stat(modules)).uid, 199_999)
    assert.equal(existsSync(join(artifact.location, 'node_modules')), false)
    assert.match(outputOf(request), /added 1 package/)
    assert.deepEqual(await readdir(join(t.home, 'builds')), [])

    const again = await build({ ...files, 'index.js': 'console.log(1)' })
    assert.deepEqual(again.artifact.links, artifact.links)
    assert.notEqual(again.artifact.digest, artifact.digest)
    assert.equal(outputOf(again.request), '')
    assert.ok(again.request.lines.some((line) => line.includes('unchanged, nothing to install')))
  })

  it('installs a layer once for builds that need it at the same time', async () => {
    const json = { scripts: { start: 'x' }, dependencies: { 'is-number': '6.0.0' } }
    const made = await Promise.all(
      ['a', 'b', 'c'].map((text) => build({ 'package.json': JSON.stringify(json), 'a.txt': text })),
    )
    assert.equal(new Set(made.map(({ artifact }) => artifact.links.node_modules)).size, 1)
    assert.equal(made.map(({ request }) => outputOf(request)).filter((text) => text.includes('added')).length, 1)
  })

  it('gives the build script its development dependencies, and the app only the others', async () => {
    const { artifact } = await build({
      'package.json': JSON.stringify({
        scripts: { build: 'node build.js && mkdir -p node_modules/.cache && npx --no-install semver 1.2.3 >> out' },
        dependencies: { 'is-number': '7.0.0' },
        devDependencies: { semver: '7.7.2' },
        main: 'index.js',
      }),
      'index.js': '',
      'build.js': `require('node:fs').writeFileSync('out', require('semver').inc(require('is-number')(1) ? '1.0.0' : '', 'major') + '\\n')`,
    })
    assert.equal(await readFile(join(artifact.location, 'out'), 'utf8'), '2.0.0\n1.2.3\n')
    assert.equal(existsSync(join(artifact.location, 'node_modules')), false)
    assert.deepEqual(
      (await readdir(artifact.links.node_modules ?? '')).filter((name) => !name.startsWith('.')),
      ['is-number'],
    )
  })

  it('installs in the tree itself when scripts of the package run at install, and says so', async () => {
    const { artifact, request } = await build({
      'package.json': JSON.stringify({
        scripts: { postinstall: 'echo ran > postinstall.txt', start: 'node .' },
        dependencies: { 'is-number': '7.0.0' },
      }),
    })
    assert.deepEqual(artifact.links, {})
    assert.ok(existsSync(join(artifact.location, 'node_modules/is-number')))
    assert.ok(existsSync(join(artifact.location, 'postinstall.txt')))
    assert.ok(request.lines.some((line) => line.includes('because package.json has a "postinstall" script')))
    assert.ok(request.lines.some((line) => line.includes('Warning: There is no package-lock.json')))
  })

  it('fails with its own words when the lockfile does not belong to package.json', async () => {
    const files = withLockfile({})
    const json = JSON.parse(files['package.json'] ?? '')
    json.dependencies['is-odd'] = '3.0.1'
    await assert.rejects(build({ ...files, 'package.json': JSON.stringify(json) }), (error) => {
      assert.ok(error instanceof UserError)
      assert.equal(error.code, 'lockfile_invalid')
      assert.match(error.message, /Missing: is-odd@3\.0\.1 from lock file/)
      return true
    })
  })
})

/** An app that needs is-number 7.0.0, with the lockfile that npm writes for it. */
function withLockfile(files: Files): Files {
  const dependencies = { 'is-number': '7.0.0' }
  const root = { name: 'app', version: '1.0.0', dependencies }
  return {
    'package.json': JSON.stringify({ ...root, main: 'index.js', scripts: { start: 'node index.js' } }),
    'package-lock.json': JSON.stringify({
      name: 'app',
      version: '1.0.0',
      lockfileVersion: 3,
      requires: true,
      packages: {
        '': root,
        'node_modules/is-number': {
          version: '7.0.0',
          resolved: 'https://registry.npmjs.org/is-number/-/is-number-7.0.0.tgz',
          integrity: 'sha512-41Cifkg6e8TylSpdtTpeLVMqvSBEVzTttHvERD741+pnZ8ANv0004MRL43QKPDlK9cGvNp6NZWZUBlbGXYxxng==',
        },
      },
    }),
    ...files,
  }
}
