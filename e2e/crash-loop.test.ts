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

test('a crashed instance is started again, later with every crash, and meanwhile the answer is 503 with Retry-After', async () => {
  const project = await createProject(platform, 'shop', anApp('one'))
  assert.equal((await project.push()).exitCode, 0)
  await ask(platform.httpPort, 'shop.localhost', { path: '/crash' }).catch(() => undefined)
  const gone = await eventually('nothing is there to answer', async () => {
    const answer = await ask(platform.httpPort, 'shop.localhost')
    assert.equal(answer.status, 503)
    return answer
  })
  assert.match(String(gone.headers['retry-after']), /^[0-9]+$/)
  await eventually('the instance is back', async () => {
    assert.equal((await ask(platform.httpPort, 'shop.localhost')).body, 'one')
  })
  const { body } = await platform.api<{ instances: { crash_count: number }[] }>('GET', '/v1/instances?app_id=shop')
  assert.deepEqual(
    body.instances.map((instance) => instance.crash_count),
    [1],
  )
  const logs = await platform.gantry(['logs', '--app', 'shop', '-n', '50'])
  assert.match(logs.stdout, /web\.1 crashed: exit code 3/)
})
