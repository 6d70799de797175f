import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { ask } from './support/http.ts'
import { startLoad } from './support/load.ts'
import { type Platform, startPlatform } from './support/platform.ts'
import { anApp, createProject } from './support/project.ts'

let platform: Platform
before(async () => {
  platform = await startPlatform()
})
after(() => platform.destroy())

test('a second push replaces the app without one failed request', async () => {
  const project = await createProject(platform, 'shop', anApp('one', { bootMs: 300 }))
  const first = await project.push()
  assert.equal(first.exitCode, 0, first.output)
  const load = startLoad({ port: platform.httpPort, host: 'shop.localhost' })
  const second = await project.release(anApp('two', { bootMs: 300 }))
  assert.equal(second.exitCode, 0, second.output)
  // "live" means: the answer after the push comes from the new release
  assert.equal((await ask(platform.httpPort, 'shop.localhost')).body, 'two')
  const report = await load.stop()
  assert.deepEqual(report.failures, [])
  assert.deepEqual([...report.versions].sort(), ['one', 'two'])
})
