import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { eventually } from './support/eventually.ts'
import { ask } from './support/http.ts'
import { type Platform, startPlatform } from './support/platform.ts'
import { anApp, createProject } from './support/project.ts'

let platform: Platform
before(async () => {
  platform = await startPlatform()
})
after(() => platform.destroy())

test('Ctrl-C stops everything, apps included, and starting again brings everything back', async () => {
  for (const name of ['shop', 'blog']) {
    const project = await createProject(platform, name, anApp(name))
    const pushed = await project.push()
    assert.equal(pushed.exitCode, 0, pushed.output)
  }
  await platform.down()
  await assert.rejects(ask(platform.httpPort, 'shop.localhost'))
  await platform.up()
  for (const name of ['shop', 'blog']) {
    await eventually(`${name} answers`, async () => {
      assert.equal((await ask(platform.httpPort, `${name}.localhost`)).body, name)
    })
  }
})

test('a second start over the same home is refused and says where the first one is', async () => {
  const second = await platform.gantry(['up', '--no-sample'])
  assert.notEqual(second.exitCode, 0)
  assert.match(second.output, /already/)
  assert.match(second.output, new RegExp(String(platform.apiPort)))
})

test('a port in use is named, with what to set', async () => {
  const other = await platform.gantry(['up', '--no-sample'], { env: { GANTRY_HOME: `${platform.work}/other` } })
  assert.notEqual(other.exitCode, 0)
  assert.match(other.output, new RegExp(`${platform.apiPort}|${platform.httpPort}`))
  assert.match(other.output, /GANTRY_(API|HTTP)_PORT/)
})
