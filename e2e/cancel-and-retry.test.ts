import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { after, before, test } from 'node:test'
import { eventually } from './support/eventually.ts'
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

interface DeployView {
  readonly id: string
  readonly status: string
}

async function newestDeploy(): Promise<DeployView> {
  const { body } = await platform.api<{ deploys: DeployView[] }>('GET', '/v1/deploys?app_id=shop&limit=1')
  const [deploy] = body.deploys
  assert.ok(deploy)
  return deploy
}

/** Pids of processes whose command line has the text. */
async function processesWith(text: string): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^[0-9]+$/.test(name))
  const found: string[] = []
  for (const pid of pids) {
    const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
    if (line.includes(text)) found.push(pid)
  }
  return found
}

const hanging = {
  ...anApp('two'),
  'package.json': JSON.stringify({
    name: 'scenario',
    scripts: { start: 'node server.js', build: "trap '' TERM; (setsid sleep 864001 &) ; sleep 864001" },
  }),
}

test('cancelling a build leaves no process of it, fails the push, and keeps the old release', async () => {
  await project.write(hanging)
  await project.commit('Hang')
  const push = project.push()
  const deploy = await eventually('the build hangs', async () => {
    const newest = await newestDeploy()
    assert.equal(newest.status, 'building')
    assert.ok((await processesWith('864001')).length > 0)
    return newest
  })
  const cancelled = await platform.gantry(['deploys', 'cancel', deploy.id])
  assert.equal(cancelled.exitCode, 0, cancelled.output)
  const pushed = await push
  assert.equal(pushed.exitCode, 1)
  assert.match(pushed.output, /cancel/)
  await eventually('no process of the build is left', async () => assert.deepEqual(await processesWith('864001'), []))
  assert.equal((await newestDeploy()).status, 'cancelled')
  assert.equal((await ask(platform.httpPort, 'shop.localhost')).body, 'one')
})

test('a newer push supersedes one that is still building', async () => {
  await project.commit('Hang again')
  const first = project.push()
  const deploy = await eventually('the build hangs', async () => {
    const newest = await newestDeploy()
    assert.equal(newest.status, 'building')
    return newest
  })
  const second = await project.release(anApp('three'))
  assert.equal(second.exitCode, 0, second.output)
  const superseded = await first
  assert.equal(superseded.exitCode, 0, superseded.output)
  const shown = JSON.parse((await platform.gantry(['deploys', 'show', deploy.id, '--json'])).stdout)
  assert.equal(shown.status, 'superseded')
  assert.equal((await ask(platform.httpPort, 'shop.localhost')).body, 'three')
})

test('a failed deploy can be retried, and a finished one cannot be cancelled', async () => {
  const flaky = {
    ...anApp('four'),
    'package.json': JSON.stringify({
      name: 'scenario',
      scripts: { start: 'node server.js', build: 'test -n "$READY"' },
    }),
  }
  const failed = await project.release(flaky)
  assert.equal(failed.exitCode, 1)
  const deploy = await newestDeploy()
  assert.equal((await platform.gantry(['deploys', 'cancel', deploy.id])).exitCode, 5)
  assert.equal((await platform.gantry(['config', 'set', '--build', 'READY=1'], { cwd: project.folder })).exitCode, 0)
  const retried = await platform.gantry(['deploys', 'retry', deploy.id])
  assert.equal(retried.exitCode, 0, retried.output)
  await eventually('the retry is live', async () => {
    assert.equal((await ask(platform.httpPort, 'shop.localhost')).body, 'four')
  })
})
