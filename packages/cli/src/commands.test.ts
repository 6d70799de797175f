import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, test } from 'node:test'
import { endpoints } from '@gantry/api'
import { unpackTar } from 'modern-tar'
import { type Answers, type FakePlatform, refusal, startFakePlatform } from '../test/support/fake-platform.ts'
import { type CommandRun, runCommand } from '../test/support/run-command.ts'

let platform: FakePlatform | undefined
afterEach(async () => {
  await platform?.close()
  platform = undefined
})

/** Runs `gantry` against a platform that answers with the contract's examples, but for `answers`. */
async function gantry(line: string, answers: Answers = {}, given: CommandRun = {}) {
  platform = await startFakePlatform(answers)
  const env = { GANTRY_URL: platform.url, GANTRY_TOKEN: 'secret', ...given.env }
  return { ...(await runCommand(line.split(' '), { ...given, env })), seen: platform.seen }
}

function exampleOf(operation: string): unknown {
  const endpoint = endpoints.find((one) => one.operationId === operation)
  assert.ok(endpoint && 'example' in endpoint.reply)
  return endpoint.reply.example
}

/** The command lines, what they call, and what standard output has. */
const answered: readonly [line: string, operations: string, output: RegExp][] = [
  ['apps', 'list_apps list_environments', /^APP .*\nshop +running +v5 +http:\/\/shop/],
  ['apps create shop --no-remote', 'create_app', /Created shop/],
  ['apps show shop', 'get_app list_environments', /production: running, v5/],
  ['apps delete shop --confirm shop', 'get_app delete_app', /^$/],
  ['envs --app shop', 'list_environments', /production +running +v5 +web=1 +http:\/\/shop/],
  ['envs create staging --app shop', 'create_environment', /Created shop: http/],
  ['envs delete staging --app shop --confirm production', 'get_environment delete_environment', /^$/],
  ['config --app shop', 'get_environment_config', /^LOG_LEVEL=info\n$/],
  ['config list --build --app shop', 'get_environment_build_config', /^SITE_TITLE=Shop\n$/],
  ['config get LOG_LEVEL --app shop', 'get_environment_config', /^info\n$/],
  ['config set A=1 B=x=y --app shop --detach', 'update_environment_config', /^$/],
  ['config unset A --build --app shop', 'update_environment_build_config', /^$/],
  ['deploys --app shop', 'list_deploys', /dep-\S+ +live +v5 +7fd1a60/],
  ['deploys show dep-1', 'get_deploy list_deploy_events', /building +Building 7fd1a60/],
  ['deploys logs dep-1', 'list_deploy_logs', /^listening on 20001\n$/],
  ['deploys cancel latest --app shop', 'list_deploys cancel_deploy', /^$/],
  ['deploys retry dep-1 --detach', 'retry_deploy', /^$/],
  ['rollback --app shop --detach', 'create_deploy', /^$/],
  ['rollback v5 --app shop --detach --keep-config', 'list_releases create_deploy', /^$/],
  ['releases --app shop', 'list_releases', /v5 +live +7fd1a60 +owner .* deploy/],
  ['releases show 5 --app shop', 'list_releases', /web +node server\.js/],
  ['builds --app shop', 'list_builds', /bld-\S+ +succeeded +node +7fd1a60/],
  ['builds logs latest --app shop', 'list_builds list_build_logs', /^listening on 20001\n$/],
  ['builds logs bld-1 -f', 'stream_build_log', /^listening on 20001\n$/],
  ['ps --app shop', 'list_instances list_instances get_environment', /web\.1 +healthy +v5 .* 0 +127\.0\.0\.1:20001/],
  ['logs --app shop', 'list_environment_logs', /^\S+Z web\.1\S* +listening on 20001\n$/],
  ['logs -f --app shop --env staging', 'stream_environment_log', /^\S+Z web\.1\S* +listening on 20001\n$/],
  ['scale web=3 worker=0 --app shop', 'update_environment', /^web=3\n$/],
  ['scale --app shop', 'get_environment', /^web=1\n$/],
  ['restart shop', 'restart_environment', /^$/],
  ['open --app shop', 'get_environment', /^http:\/\/shop\.localhost:8080\n$/],
  ['status', 'get_platform', /^Gantry \S+: ok\n/],
  ['platform rotate-key --detach', 'rotate_platform_key', /^$/],
  ['tokens', 'list_tokens', /tok-\S+ +ci +\S+/],
  ['tokens create ci --app shop --scopes app:read,log:read --expires 90d', 'create_token', /^gantry_7Qm2vX\w+\n$/],
  ['tokens revoke tok-1', 'delete_token', /^$/],
  ['members', 'list_members', /Mia +developer +active/],
  ['members invite Mia --role admin --expires 3d', 'create_member', /^gantry_7Qm2vX\w+\n$/],
  ['members invite Mia --again', 'list_members invite_member', /^gantry_7Qm2vX\w+\n$/],
  ['members role mia admin', 'list_members update_member', /^$/],
  ['members remove Mia', 'list_members delete_member', /^$/],
  ['audit', 'list_audit_events', /Mia +delete_app +refused +127\.0\.0\.1 +\/v1\/apps/],
  ['audit --export --refused', 'list_audit_events', /^\{"id":"aud-/],
]

for (const [line, operations, output] of answered) {
  test(`gantry ${line}`, async () => {
    const done = await gantry(line, {}, { screen: { columns: 200 } })
    assert.match(done.stdout, output)
    assert.deepEqual(done.seen.map(({ operation }) => operation).sort(), operations.split(' ').sort())
    assert.equal(done.exitCode, 0)
  })
}

/** With --json these print the reply of one operation, as it is. */
const asJson: readonly [line: string, operation: string][] = [
  ['apps', 'list_apps'],
  ['apps create shop --no-remote', 'create_app'],
  ['apps show shop', 'get_app'],
  ['envs --app shop', 'list_environments'],
  ['envs create staging --app shop', 'create_environment'],
  ['config --app shop', 'get_environment_config'],
  ['config set A=1 --app shop --detach', 'update_environment_config'],
  ['deploys --app shop', 'list_deploys'],
  ['deploys show dep-1', 'get_deploy'],
  ['deploys cancel dep-1', 'cancel_deploy'],
  ['deploys retry dep-1', 'get_deploy'],
  ['rollback --app shop --detach', 'create_deploy'],
  ['releases --app shop', 'list_releases'],
  ['builds --app shop', 'list_builds'],
  ['ps --app shop', 'list_instances'],
  ['scale web=3 --app shop', 'update_environment'],
  ['restart shop', 'restart_environment'],
  ['open --app shop', 'get_environment'],
  ['status', 'get_platform'],
  ['platform rotate-key --detach', 'rotate_platform_key'],
  ['tokens', 'list_tokens'],
  ['tokens create ci', 'create_token'],
  ['members', 'list_members'],
  ['members invite Mia', 'create_member'],
  ['audit', 'list_audit_events'],
]

for (const [line, operation] of asJson) {
  test(`gantry ${line} --json prints the reply of ${operation}`, async () => {
    const done = await gantry(`${line} --json`)
    assert.deepEqual(JSON.parse(done.stdout), exampleOf(operation))
  })
}

test('connect where there is no git repository fails, and create there does not', async () => {
  const connected = await gantry('apps connect shop')
  assert.equal(connected.exitCode, 2)
  assert.match(connected.stderr, /no git repository.*gantry apps connect shop/)
  await platform?.close()
  assert.equal((await gantry('apps create shop')).exitCode, 0)
})

test('--env chooses the environment by its label', async () => {
  const done = await gantry('scale web=3 --app shop --env staging')
  assert.deepEqual(done.seen[0]?.params, { id: 'staging--shop' })
  assert.deepEqual(done.seen[0]?.body, { scale: { web: 3 } })
})

test('what is deleted is what was shown: the entity tag goes with the call', async () => {
  const done = await gantry('apps delete shop --confirm shop')
  assert.match(String(done.seen[1]?.headers['if-match']), /^"/)
})

test('a wrong name deletes nothing, and without a terminal nobody is asked', async () => {
  await assert.rejects(gantry('apps delete shop --confirm shap'), { exitCode: 2 })
  assert.deepEqual(
    platform?.seen.map(({ operation }) => operation),
    ['get_app'],
  )
  await platform?.close()
  await assert.rejects(gantry('apps delete shop'), { exitCode: 2, hint: 'Add: --confirm shop' })
})

test('a command that starts a deploy follows it to its end: 0 when it is live, 1 when it failed', async () => {
  const live = await gantry('rollback --app shop')
  assert.equal(live.exitCode, 0)
  assert.match(live.stderr, /-----> listening on 20001\n.*✓ v5 is live after [^\n]*: http:\/\/shop/s)
  await platform?.close()
  const failed = {
    ...(exampleOf('get_deploy') as object),
    status: 'failed',
    errors: [{ code: 'build_failed', message: 'npm ended with 1' }],
  }
  const done = await gantry('rollback --app shop', { get_deploy: { body: failed } })
  assert.equal(done.exitCode, 1)
  assert.match(done.stderr, /✗ The deploy was not made live \(failed\).* \[build_failed\]\nnpm ended with 1\n/)
})

test('a failure of which the build has just told is not told again', async () => {
  const line = (n: number, message: string) =>
    `id: 1-${n}\nevent: log\ndata: ${JSON.stringify({ id: `1-${n}`, at: '2026-08-22T09:30:00.000Z', source: 'x', message })}\n\n`
  const end = 'event: end\ndata: {"status":"failed"}\n\n'
  const build = { ...(exampleOf('get_build') as object), created_at: '2026-08-22T09:00:00.000Z' }
  const done = await gantry('deploys watch dep-1', {
    get_build: { body: build },
    stream_build_log: { events: line(0, 'bad.ts(3,1)') + line(1, '-----> "tsc" failed.') + end },
    stream_deploy_log: {
      events: [
        line(0, 'The build has begun.'),
        line(1, '"tsc" failed. Its last lines:'),
        line(2, '  bad.ts(3,1)'),
        line(3, 'Something else:'),
        line(4, '  and more'),
        end,
      ].join(''),
    },
  })
  const told =
    '-----> The build has begun.\nbad.ts(3,1)\n-----> "tsc" failed.\n-----> Something else:\n         and more\n'
  assert.ok(done.stderr.startsWith(told), done.stderr)
})

test('watch --json prints each event on a line', async () => {
  const done = await gantry('deploys watch dep-1 --json')
  const events = done.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { event: string })
  assert.deepEqual(
    events.map(({ event }) => event),
    ['log', 'end'],
  )
})

test('platform rotate-key waits until the old key is gone, and names the file to keep', async () => {
  let asked = 0
  const { master_key, ...rest } = exampleOf('get_platform') as { master_key: object }
  const rotating = { ...rest, master_key: { ...master_key, status: 'rotating' } }
  const get_platform = () => (++asked < 3 ? { body: rotating } : {})
  const done = await gantry('platform rotate-key', { get_platform })
  assert.deepEqual([done.exitCode, asked], [0, 3])
  assert.match(done.stderr, /is 9c1f6b2e40d7a853 now, .*keys\/master-9c1f6b2e40d7a853\.key/s)
})

test('platform rotate-key says why a rotation cannot end', async () => {
  const checks = [{ name: 'master_key', status: 'warning', message: 'rotated to b, but the key before, a, is kept' }]
  const body = { ...(exampleOf('rotate_platform_key') as object), checks }
  const stuck = gantry('platform rotate-key', { rotate_platform_key: { status: 202, body } })
  await assert.rejects(stuck, { exitCode: 1, message: /cannot end: .*the key before, a, is kept/ })
})

test('logs reads as many pages as it takes, and no more lines than were asked for', async () => {
  const page = (ids: readonly number[], next?: string) => ({
    body: {
      logs: ids.map((id) => ({
        id: `1-${id}`,
        at: '2026-08-22T09:30:00.000Z',
        source: 'web.1',
        message: `line ${id}`,
      })),
      limit: 2,
      first: { href: 'http://x/' },
      ...(next && { next: { href: 'http://x/', start: next } }),
    },
  })
  const pages: Answers = {
    list_environment_logs: ({ query }) => (query.start ? page([3, 4, 5], 'more') : page([1, 2], 'b')),
  }
  const done = await gantry('logs --app shop -n 4 --since 2h --process web', pages)
  assert.deepEqual(done.stdout.match(/line \d/g), ['line 1', 'line 2', 'line 3', 'line 4'])
  assert.deepEqual([done.seen[0]?.query.source, done.seen[0]?.query.tail, done.seen[0]?.query.limit], ['web', '4', '4'])
  assert.match(String(done.seen[0]?.query.since), /^\d{4}-.*Z$/)
})

test('ps shows a place whose instance crashed and waits to be started again, with the reason', async () => {
  const { instances } = exampleOf('list_instances') as { instances: object[] }
  const ended = { ...instances[0], status: 'ended', crash_count: 3, end_reason: 'exit code 3' }
  const listing = (list: object[]) => ({ body: { ...(exampleOf('list_instances') as object), instances: list } })
  const done = await gantry('ps --app shop', {
    list_instances: ({ query }) => listing(query.status === 'ended' ? [ended] : []),
  })
  assert.match(done.stdout, /web\.1 +ended +v5 +3 .*exit code 3/)
})

test('deploy sends the files of the folder and none that is secret', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'gantry-test-'))
  try {
    for (const name of ['server.js', '.env', '.env.local']) await writeFile(join(folder, name), name)
    const done = await gantry('deploy --app shop --detach', {}, { cwd: folder })
    assert.deepEqual(
      done.seen.map(({ operation }) => operation),
      ['create_source', 'create_deploy'],
    )
    const entries = await unpackTar(done.seen[0]?.body as Buffer)
    assert.deepEqual(
      entries.map(({ header }) => header.name),
      ['server.js'],
    )
    const { id } = exampleOf('create_source') as { id: string }
    assert.deepEqual(done.seen[1]?.body, { environment: { id: 'shop' }, kind: 'upload', source: { id } })
  } finally {
    await rm(folder, { recursive: true })
  }
})

test('deploy of something that is no folder says so, and sends nothing', async () => {
  await assert.rejects(gantry('deploy nowhere --app shop'), { exitCode: 2, message: /nowhere is not a folder/ })
  assert.deepEqual(platform?.seen, [])
})

test('a control character from the platform does not reach the terminal', async () => {
  const events = `id: 1-1\nevent: log\ndata: ${JSON.stringify({ id: '1-1', at: '2026-08-22T09:30:00.000Z', source: 'web.1', message: '\u001b[2J\u001b]0;x\u0007gone' })}\n\nevent: end\ndata: {"status":"live"}\n\n`
  const done = await gantry('logs -f --app shop', { stream_environment_log: { events } }, { screen: { isTTY: true } })
  assert.ok(done.stdout.includes('\\u001b[2J\\u001b]0;x\\u0007gone'))
})

for (const name of ['constructor', '__proto__']) {
  test(`config get knows no variable ${name} that nobody set`, async () => {
    await assert.rejects(gantry(`config get ${name} --app shop`), { exitCode: 4 })
  })
}

test('what the API refuses is thrown as it says it', async () => {
  const answers = { create_app: refusal(409, 'name_taken', 'There is an app shop already.') }
  await assert.rejects(gantry('apps create shop', answers), { status: 409, code: 'name_taken' })
})

test('without a token nothing is sent, and it says where one comes from', async () => {
  const run = runCommand(['apps'], { env: { GANTRY_URL: 'https://gantry.example.com' } })
  await assert.rejects(run, { exitCode: 3, hint: /gantry login/ })
})
