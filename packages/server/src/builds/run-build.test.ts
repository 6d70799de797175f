import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { createTestBuilds, type Files, type TestBuilds } from '../../test/support/builds.ts'
import { UserError } from '../kernel/errors.ts'
import type { BuildRequest } from './index.ts'

const never = new AbortController().signal

/** A build that runs one line of shell as its build script. */
const script = (line: string): Files => ({
  'package.json': JSON.stringify({ scripts: { build: line, start: 'node dist/server.js' } }),
})

async function artifactOf(t: TestBuilds, request: BuildRequest) {
  const { artifactId } = await t.builds.run(request, never)
  const artifact = await t.builds.artifact(t.test.db, t.scope, artifactId)
  assert.ok(artifact)
  return artifact
}

async function failureOf(t: TestBuilds, request: BuildRequest): Promise<UserError> {
  try {
    await t.builds.run(request, never)
  } catch (error) {
    assert.ok(error instanceof UserError, String(error))
    return error
  }
  assert.fail('the build succeeded')
}

async function statusOf(t: TestBuilds, request: BuildRequest) {
  const [row] = await t.test.db.query<{ status: string; error_code: string | null }>(
    'select status, error_code from builds where id = $1',
    [request.build.id],
  )
  return row
}

describe('an app without a build step', () => {
  let t: TestBuilds
  before(async () => {
    t = await createTestBuilds()
  })
  after(async () => await t.close())

  it('is the tree as it is: nothing runs, and the same tree is the same artifact', async () => {
    const files = { Procfile: 'web: ./serve\nclock: ./tick\n', 'lib/a.txt': 'a' }
    const first = await artifactOf(t, await t.request(files))
    assert.equal(await readFile(join(first.location, 'lib/a.txt'), 'utf8'), 'a')
    assert.equal((await stat(join(first.location, 'lib/a.txt'))).mode & 0o222, 0)
    assert.deepEqual(first.processTypes, {
      web: { command: './serve', overlap: true },
      clock: { command: './tick', overlap: false },
    })
    const again = await artifactOf(t, await t.request(files))
    assert.equal(again.id, first.id)
    const other = await artifactOf(t, await t.request({ ...files, 'lib/a.txt': 'b' }))
    assert.notEqual(other.digest, first.digest)
    assert.deepEqual(t.engine.started, [])
    assert.deepEqual(await readdir(join(t.home, 'builds')), [])
  })

  it('runs with its own commands and its Node.js first in PATH', async () => {
    const artifact = await artifactOf(t, await t.request({ 'package.json': '{"main": "app.js"}', 'app.js': '' }))
    assert.deepEqual(artifact.processTypes, { web: { command: 'node app.js', overlap: true } })
    assert.equal(artifact.runEnv.NODE_ENV, 'production')
    assert.deepEqual(artifact.runEnv.PATH?.split(':').slice(0, 2), ['node_modules/.bin', join(process.execPath, '..')])
  })

  it('answers the same when asked again, and fails the same', async () => {
    const good = await t.request({ Procfile: 'web: x' })
    assert.deepEqual(await t.builds.run(good, never), await t.builds.run(good, never))
    const bad = await t.request({ 'README.md': '' })
    const error = await failureOf(t, bad)
    assert.equal(error.code, 'no_builder')
    assert.match(error.message, /package\.json \(Node\.js with npm\); Procfile .* It has README\.md\./)
    assert.equal((await failureOf(t, bad)).message, error.message)
    assert.deepEqual(await statusOf(t, bad), { status: 'failed', error_code: 'no_builder' })
  })
})

describe('a build step', () => {
  let t: TestBuilds
  before(async () => {
    t = await createTestBuilds({ limits: { outputBytes: 100_000, diskBytes: 3_000_000, timeMs: 20_000 } })
  })
  after(async () => await t.close())

  it('sees its build config and little else, and makes the artifact', async () => {
    const request = await t.request(script('mkdir dist && env > dist/env && echo made > dist/server.js'), {
      buildConfig: { GREETING: 'hello there', CI: 'false' },
    })
    const artifact = await artifactOf(t, request)
    assert.equal(await readFile(join(artifact.location, 'dist/server.js'), 'utf8'), 'made\n')
    const env = await readFile(join(artifact.location, 'dist/env'), 'utf8')
    assert.match(env, /^GREETING=hello there$/m)
    assert.match(env, /^CI=false$/m)
    assert.match(env, new RegExp(`^SOURCE_COMMIT=${request.build.commitSha}$`, 'm'))
    assert.match(env, new RegExp(`^HOME=${t.home}/builds/`, 'm'))
    assert.doesNotMatch(env, /^(GANTRY_|PG|DATABASE_URL)/m)
    assert.equal(existsSync(join(t.home, 'builds', request.build.id)), false)
    assert.deepEqual(await t.engine.observe('all', never), [])
    assert.deepEqual(await statusOf(t, request), { status: 'succeeded', error_code: null })
  })

  it('that fails says how, with its last lines, and leaves nothing behind', async () => {
    const request = await t.request(script('echo one; echo the reason >&2; exit 7'))
    const error = await failureOf(t, request)
    assert.equal(error.code, 'build_failed')
    assert.match(error.message, /"npm run build" failed with exit code 7\. Its last lines:[\s\S]*the reason/)
    assert.equal(existsSync(join(t.home, 'builds', request.build.id)), false)
    const rows = await t.test.db.query('select 1 from build_folders where build_id = $1', [request.build.id])
    assert.equal(rows.length, 0)
  })

  for (const [what, line, code] of [
    ['floods', 'yes', 'build_output_exceeded'],
    ['fills the disk', 'head -c 4000000 /dev/zero > big; sleep 60', 'build_disk_exceeded'],
  ] as const) {
    it(`that ${what} is stopped`, async () => {
      const error = await failureOf(t, await t.request(script(line)))
      assert.equal(error.code, code)
      assert.deepEqual(t.engine.alive(), [])
    })
  }

  it('that hangs is stopped at the time limit', async () => {
    const short = await createTestBuilds({ limits: { timeMs: 1500 } })
    try {
      const error = await failureOf(short, await short.request(script('sleep 600')))
      assert.equal(error.code, 'build_timed_out')
      assert.deepEqual(short.engine.alive(), [])
    } finally {
      await short.close()
    }
  })

  it('that is cancelled leaves no process and no folder', async () => {
    const request = await t.request(script('sleep 600 & sleep 600'))
    const cancel = new AbortController()
    const run = t.builds.run(request, cancel.signal)
    await until(() => t.engine.alive().length > 0)
    cancel.abort(new Error('cancelled'))
    await assert.rejects(run, /cancelled/)
    await t.builds.cancel(request, { code: 'build_cancelled', message: 'Cancelled by ada.' })
    assert.deepEqual(t.engine.alive(), [])
    assert.equal(existsSync(join(t.home, 'builds', request.build.id)), false)
    assert.deepEqual(await statusOf(t, request), { status: 'cancelled', error_code: 'build_cancelled' })
  })

  it('goes on after a crash of the control plane, without starting anything twice', async () => {
    const request = await t.request(script('sleep 2; mkdir dist; echo x >> dist/times'))
    const before = t.engine.started.length
    void t.builds.run(request, never)
    await until(() => t.engine.alive().length > 0)
    t.engine.abandonWaiters()
    const { artifactId } = await t.restart().run({ ...request, fence: 2 }, never)
    const artifact = await t.builds.artifact(t.test.db, t.scope, artifactId)
    assert.equal(await readFile(join(artifact?.location ?? '', 'dist/times'), 'utf8'), 'x\n')
    assert.equal(t.engine.started.length, before + 1)
  })

  it('whose exit nobody saw runs once more, from the start', async () => {
    const request = await t.request(script('test ! -e mark && touch mark && mkdir dist'))
    t.engine.lose(`${request.build.id}-${await appTag(t, request)}-0-1`)
    const artifact = await artifactOf(t, request)
    assert.ok(existsSync(join(artifact.location, 'mark')))
    assert.ok(request.lines.some((line) => line.includes('interrupted')))
  })
})

/** The tag of the app's unit, learned from a build with the same steps. */
async function appTag(t: TestBuilds, request: BuildRequest): Promise<string> {
  const sample = t.engine.started.at(-1)?.id ?? ''
  assert.notEqual(sample, '')
  assert.notEqual(sample.slice(0, 30), request.build.id)
  return sample.split('-')[2] ?? ''
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 10_000
  while (!condition()) {
    assert.ok(performance.now() < deadline, 'waited for 10 s')
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
