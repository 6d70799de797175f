import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { eventually } from './support/eventually.ts'
import { ask } from './support/http.ts'
import { startLoad } from './support/load.ts'
import { type Platform, startPlatform } from './support/platform.ts'
import { anApp, createProject, type Project } from './support/project.ts'

let platform: Platform
let project: Project
before(async () => {
  platform = await startPlatform({ env: { GANTRY_BOOT_LIMIT_SECONDS: '3' } })
  project = await createProject(platform, 'shop', anApp('one'))
  assert.equal((await project.push()).exitCode, 0)
})
after(() => platform.destroy())

const releases: readonly [string, Record<string, string>, RegExp][] = [
  [
    'exits at once',
    anApp('two', { before: "console.log('no database'); process.exit(4)" }),
    /exit code 4[\s\S]*no database/,
  ],
  ['listens on the wrong port', anApp('two', { listen: '4999' }), /listens on port 4999 and not on/],
  [
    'listens where the router cannot reach it',
    anApp('two', { listen: "process.env.PORT, '127.99.0.1'" }),
    /127\.99\.0\.1/,
  ],
  ['never listens', anApp('two', { bootMs: 3_600_000 }), /did not listen on port/],
  [
    'answers every request with an error',
    anApp('two', {
      before:
        "require('node:http').createServer((q, s) => { s.statusCode = 500; s.end() }).listen(process.env.PORT); return",
    }),
    /answered 500/,
  ],
]

for (const [what, files, expected] of releases) {
  test(`a release that ${what} fails by itself, says why, and the old one goes on`, async () => {
    const load = startLoad({ port: platform.httpPort, host: 'shop.localhost' })
    const failed = await project.release(files)
    const report = await load.stop()
    assert.equal(failed.exitCode, 1, failed.output)
    assert.match(failed.output, expected)
    assert.deepEqual(report.failures, [])
    assert.deepEqual([...report.versions], ['one'])
    await eventually('only the old release runs', async () => {
      const { body } = await platform.api<{ instances: { release: { name: string } }[] }>(
        'GET',
        '/v1/instances?app_id=shop',
      )
      assert.deepEqual(
        body.instances.map((instance) => instance.release.name),
        ['v1'],
      )
    })
  })
}

test('an instance that ignores SIGTERM is killed after its grace, and the new release is live before that', async () => {
  const stubborn = await createProject(
    platform,
    'stubborn',
    anApp('one', { before: "process.on('SIGTERM', () => undefined)" }),
  )
  assert.equal((await stubborn.push()).exitCode, 0)
  const second = await stubborn.release(anApp('two'))
  assert.equal(second.exitCode, 0, second.output)
  assert.equal((await ask(platform.httpPort, 'stubborn.localhost')).body, 'two')
})
