import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { ask } from './support/http.ts'
import { type Platform, startPlatform } from './support/platform.ts'
import { anApp, createProject, type Project } from './support/project.ts'

let platform: Platform
let project: Project

before(async () => {
  platform = await startPlatform({ homeName: 'a home with spaces' })
  project = await createProject(platform, 'shop', anApp('one'))
})
after(() => platform.destroy())

test('a first push builds, releases and answers, and says so in the terminal', async () => {
  const pushed = await project.push()
  assert.equal(pushed.exitCode, 0, pushed.output)
  assert.match(pushed.output, /remote: .*Node\.js/)
  assert.match(pushed.output, /remote: .*v1/)
  assert.match(pushed.output, new RegExp(`remote: .*http://shop\\.localhost:${platform.httpPort}`))
  const answer = await ask(platform.httpPort, 'shop.localhost')
  assert.deepEqual([answer.status, answer.body], [200, 'one'])
})

test('the app sees its environment and nothing of the platform', async () => {
  const { body } = await ask(platform.httpPort, 'shop.localhost', { path: '/env' })
  const env = JSON.parse(body) as Record<string, string>
  assert.deepEqual(
    [env.GANTRY_APP, env.GANTRY_ENVIRONMENT, env.GANTRY_RELEASE, env.NODE_ENV],
    ['shop', 'production', 'v1', 'production'],
  )
  assert.match(env.SOURCE_COMMIT ?? '', /^[0-9a-f]{40}$/)
  for (const name of ['DATABASE_URL', 'GANTRY_TOKEN', 'GANTRY_LISTEN_FDS', 'GANTRY_HOME', 'NODE_OPTIONS']) {
    assert.equal(env[name], undefined, name)
  }
})

test('lists, shows and logs tell of it, for people and as JSON', async () => {
  const apps = JSON.parse((await platform.gantry(['apps', 'list', '--json'])).stdout)
  assert.deepEqual(
    apps.apps.map((app: { name: string }) => app.name),
    ['shop'],
  )
  const ps = await platform.gantry(['ps', '--app', 'shop'])
  assert.match(ps.stdout, /web\.1\s.*healthy/)
  const releases = await platform.gantry(['releases'], { cwd: project.folder })
  assert.match(releases.stdout, /v1/)
  const deploys = JSON.parse((await platform.gantry(['deploys', 'list', '--app', 'shop', '--json'])).stdout)
  assert.deepEqual(
    deploys.deploys.map((deploy: { status: string }) => deploy.status),
    ['live'],
  )
  const buildLog = await platform.gantry(['builds', 'logs', deploys.deploys[0].build.id])
  assert.equal(buildLog.exitCode, 0, buildLog.output)
  assert.match(buildLog.stdout, /Node\.js/)
})

test('pushing what is there already changes nothing', async () => {
  const again = await project.push()
  assert.equal(again.exitCode, 0, again.output)
  assert.match(again.output, /Everything up-to-date/)
})
