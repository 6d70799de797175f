import assert from 'node:assert/strict'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { eventually, get, isRunning, load, signal, TestPlatform } from './test-platform.ts'

const isRoot = process.getuid?.() === 0

async function started(
  t: TestContext,
  options: ConstructorParameters<typeof TestPlatform>[0] = {},
): Promise<TestPlatform> {
  const platform = new TestPlatform(options)
  t.after(() => platform.destroy())
  const { last } = await platform.up()
  assert.equal(last.event, 'ready', JSON.stringify(last))
  return platform
}

async function supervisorPid(platform: TestPlatform): Promise<number> {
  return (await platform.ask('status', {})).pid
}

test('a start brings everything up, SIGTERM stops everything, and the next start is the same platform', async (t) => {
  const platform = await started(t, { database: true })
  const [api, http] = await Promise.all([get(platform.apiPort), get(platform.httpPort)])
  assert.equal(api.name, 'control-plane')
  assert.equal(http.name, 'router')
  assert.equal((await get(platform.apiPort, '/', '::1')).pid, api.pid)
  const token = readFileSync(join(platform.home, 'owner-token'), 'utf8')
  assert.match(token, /^gantry_\w{43}\n$/)
  assert.equal(statSync(join(platform.home, 'owner-token')).mode & 0o777, 0o600)
  const pid = await supervisorPid(platform)
  signal(pid, 'SIGTERM')
  await eventually('the supervisor has ended', () => !isRunning(pid))
  assert.deepEqual(platform.left(), [])
  assert.deepEqual(existsSync(join(platform.home, 'db/data/postmaster.pid')), false)
  const { last } = await platform.up()
  assert.equal(last.event, 'ready')
  assert.equal(readFileSync(join(platform.home, 'owner-token'), 'utf8'), token)
})

test('as root every part has a uid of its own', { skip: !isRoot && 'needs root' }, async (t) => {
  const platform = await started(t, { database: true })
  assert.equal((await get(platform.apiPort)).uid, 199_999)
  assert.equal((await get(platform.httpPort)).uid, 199_997)
  assert.equal(statSync(`/proc/${await platform.pidOf('postgres')}`).uid, 199_998)
  assert.equal(statSync(join(platform.home, 'db/data')).uid, 199_998)
  assert.equal(statSync(join(platform.home, 'keys')).uid, 199_999)
})

test('as an ordinary user everything has that uid', { skip: !isRoot && 'needs root to become a user' }, async (t) => {
  const uid = 65_534 // nobody: initdb wants a user with a name
  const platform = await started(t, { uid, database: true })
  assert.equal((await get(platform.apiPort)).uid, uid)
  assert.equal((await get(platform.httpPort)).uid, uid)
  assert.equal(statSync(join(platform.home, 'db/data')).uid, uid)
  await platform.down()
  assert.deepEqual(platform.left(), [])
})

test('a second start over the same home says where the first one is, and harms nothing', async (t) => {
  const platform = await started(t)
  const pid = await supervisorPid(platform)
  const second = await platform.up()
  assert.equal(second.last.event, 'failed')
  assert.ok(second.last.event === 'failed' && second.last.code === 'already_running')
  assert.match(second.last.message, new RegExp(`process ${pid}\\b.*http://localhost:${platform.apiPort}`))
  assert.equal((await get(platform.httpPort)).name, 'router')
})

test('a port in use is named, with its holder and what to set', async (t) => {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as { port: number }
  t.after(() => server.close())
  const platform = new TestPlatform()
  t.after(() => platform.destroy())
  const { last } = await platform.up({ GANTRY_API_PORT: String(port) })
  assert.ok(last.event === 'failed' && last.code === 'port_in_use', JSON.stringify(last))
  assert.match(last.message, new RegExp(`Port ${port}\\b.*\\(process ${process.pid}\\).*GANTRY_API_PORT`))
  assert.deepEqual(platform.left(), [])
  assert.equal((await platform.up()).last.event, 'ready')
})

test('settings that cannot be are refused by name', async (t) => {
  const platform = new TestPlatform()
  t.after(() => platform.destroy())
  for (const [name, value] of [
    ['GANTRY_HTTP_PORT', '80800'],
    ['GANTRY_API_HOST', 'example'],
    ['GANTRY_HOME', 'relative'],
  ] as const) {
    const { last } = await platform.up({ [name]: value })
    assert.ok(last.event === 'failed' && last.code === 'setting_invalid', JSON.stringify(last))
    assert.match(last.message, new RegExp(name))
  }
})

test('a killed router or control plane comes back, and connections made meanwhile wait for it', async (t) => {
  const platform = await started(t)
  for (const [name, port] of [
    ['router', platform.httpPort],
    ['control-plane', platform.apiPort],
  ] as const) {
    for (let i = 0; i < 3; i++) {
      const before = await get(port)
      signal(before.pid, 'SIGSTOP') // accepts nothing, so that no request of ours can be in its hands
      const queued = Array.from({ length: 5 }, () => get(port))
      signal(before.pid, 'SIGKILL')
      const answers = await Promise.all(queued)
      assert.deepEqual(new Set(answers.map((answer) => answer.name)), new Set([name]))
      assert.notEqual(answers[0]?.pid, before.pid)
    }
  }
})

test('hand-overs of the router and restarts of the control plane lose no request', async (t) => {
  const platform = await started(t)
  const router = load(platform.httpPort)
  const controlPlane = load(platform.apiPort)
  for (let i = 0; i < 5; i++) {
    await platform.ask('replaceProgram', { program: 'router' })
    await platform.ask('replaceProgram', { program: 'control-plane' })
  }
  const [http, api] = await Promise.all([router.stop(), controlPlane.stop()])
  assert.deepEqual(http.failures, [])
  assert.deepEqual(api.failures, [])
  assert.ok(http.pids.size > 3 && api.pids.size > 3, 'the processes did change')
})

test('PostgreSQL that is killed is started again', async (t) => {
  const platform = await started(t, { database: true })
  for (let i = 0; i < 2; i++) {
    const before = await platform.pidOf('postgres')
    signal(before, 'SIGKILL')
    await eventually('another server is ready', async () => {
      const { programs } = await platform.ask('status', {})
      const { pid, state } = programs.find(({ name }) => name === 'postgres') ?? {}
      return pid !== undefined && pid !== before && state === 'running'
    })
  }
})

test('when the supervisor is killed everything goes on, and the next one finds it again', async (t) => {
  const platform = await started(t, { database: true })
  const names = ['postgres', 'control-plane', 'router']
  const pids = () => Promise.all(names.map((name) => platform.pidOf(name)))
  const before = await pids()
  const running = [load(platform.httpPort), load(platform.apiPort)]
  signal(await supervisorPid(platform), 'SIGKILL')
  const { last } = await platform.up()
  assert.equal(last.event, 'ready', JSON.stringify(last))
  assert.deepEqual(await pids(), before)
  for (const program of ['router', 'control-plane'] as const) await platform.ask('replaceProgram', { program })
  const after = await pids()
  assert.equal(after[0], before[0])
  for (const it of running) assert.deepEqual((await it.stop()).failures, [])
  signal(before[2] ?? 0, 'SIGKILL') // the old router drains or has ended: nobody needs it
  assert.equal((await get(platform.httpPort)).pid, after[2])
  await platform.down()
  assert.deepEqual(platform.left(), [])
})

test('what a killed supervisor left can be stopped without starting anything', async (t) => {
  const platform = await started(t, { database: true })
  const pid = await supervisorPid(platform)
  const refused = await platform.up({ GANTRY_STOP_ONLY: '1' })
  assert.ok(refused.last.event === 'failed' && refused.last.code === 'already_running')
  signal(pid, 'SIGKILL')
  await eventually('the supervisor is dead', () => !isRunning(pid))
  assert.deepEqual((await platform.up({ GANTRY_STOP_ONLY: '1' })).last, { event: 'stopped', found: true })
  assert.deepEqual(platform.left(), [])
  assert.deepEqual((await platform.up({ GANTRY_STOP_ONLY: '1' })).last, { event: 'stopped', found: false })
})

test('another build takes over: database and requests go on, programs are the new build', async (t) => {
  const platform = await started(t, { database: true })
  const first = await supervisorPid(platform)
  const database = await platform.pidOf('postgres')
  const running = [load(platform.httpPort), load(platform.apiPort)]
  const { last, events } = await platform.up({ GANTRY_TEST_BUILD: 'two' })
  assert.equal(last.event, 'ready', JSON.stringify(last))
  assert.ok(events.some((it) => it.event === 'upgrading' && it.from === 'one' && it.to === 'two'))
  for (const it of running) assert.deepEqual((await it.stop()).failures, [])
  assert.equal((await get(platform.httpPort)).build, 'two')
  assert.equal((await get(platform.apiPort)).build, 'two')
  assert.equal(await platform.pidOf('postgres'), database)
  assert.notEqual(await supervisorPid(platform), first)
  await eventually('the first supervisor has ended', () => !isRunning(first))
  const { pid } = await platform.ask('restart', {})
  await eventually('the third one serves', async () => {
    const status = await platform.ask('status', {}).catch(() => undefined)
    return status?.pid === pid && status.state === 'ready'
  })
})

test('a successor that cannot load changes nothing', async (t) => {
  const platform = await started(t)
  const upgrade = { file: process.execPath, args: ['-e', 'process.exit(3)'], cwd: '/', env: {} }
  await assert.rejects(platform.ask('upgrade', upgrade), /status 3/)
  assert.equal((await get(platform.httpPort)).name, 'router')
})

test('a control plane that cannot serve fails the start with its words, and nothing is left', async (t) => {
  const platform = new TestPlatform({ database: true })
  t.after(() => platform.destroy())
  const { last } = await platform.up({ GANTRY_TEST_FAIL: 'control-plane' })
  assert.ok(last.event === 'failed', JSON.stringify(last))
  assert.match(last.message, /fails on purpose/)
  await eventually('nothing is left', () => platform.left().length === 0)
})

test('Ctrl-C during the start stops it and leaves nothing', async (t) => {
  const platform = new TestPlatform({ database: true })
  t.after(() => platform.destroy())
  const starting = platform.up().catch((error: Error) => error.message)
  await eventually('PostgreSQL is being set up', () => existsSync(join(platform.home, 'db/data.new')))
  const { pid } = await platform.ask('status', {})
  signal(pid, 'SIGINT')
  await eventually('the supervisor has ended', () => !isRunning(pid))
  assert.deepEqual(platform.left(), [])
  await starting
  const { last } = await platform.up()
  assert.equal(last.event, 'ready', JSON.stringify(last))
})

test("what a power cut leaves behind is in nobody's way", async (t) => {
  const platform = await started(t, { database: true })
  const pids = [await supervisorPid(platform)]
  for (const name of ['postgres', 'control-plane', 'router']) pids.push(await platform.pidOf(name))
  for (const pid of pids) signal(pid, 'SIGKILL')
  await eventually('all are dead', () => pids.every((pid) => !isRunning(pid)))
  writeFileSync(join(platform.home, 'run/router-1.sock'), '')
  const { last } = await platform.up()
  assert.equal(last.event, 'ready', JSON.stringify(last))
})

test('a home with spaces, and one too long for Unix sockets', async (t) => {
  await started(t, { name: "a home, with 'spaces' and ümlaut", database: true })
  const long = await started(t, { name: join('x'.repeat(60), 'y'.repeat(60)), database: true })
  assert.notEqual(long.path, long.home)
  assert.equal(realpathSync(long.path), long.home)
  const second = await long.up()
  assert.ok(second.last.event === 'failed' && second.last.code === 'already_running')
})

test('the database of another major version is refused and left alone', async (t) => {
  for (const [version, code] of [
    ['99', 'database_too_new'],
    ['15', 'database_too_old'],
  ] as const) {
    const platform = new TestPlatform({ database: true })
    t.after(() => platform.destroy())
    mkdirSync(join(platform.home, 'db/data'), { recursive: true })
    writeFileSync(join(platform.home, 'db/data/PG_VERSION'), `${version}\n`)
    const { last } = await platform.up()
    assert.ok(last.event === 'failed' && last.code === code, JSON.stringify(last))
    assert.match(last.message, new RegExp(`PostgreSQL ${version}\\b`))
    assert.equal(readFileSync(join(platform.home, 'db/data/PG_VERSION'), 'utf8'), `${version}\n`)
  }
})

test('a home that others cannot reach is refused with the chmod to type', {
  skip: !isRoot && 'needs root',
}, async (t) => {
  const platform = new TestPlatform({ name: join('private', 'home') })
  t.after(() => platform.destroy())
  chmodSync(join(platform.root, 'private'), 0o700)
  const { last } = await platform.up()
  assert.ok(last.event === 'failed' && last.code === 'home_not_traversable', JSON.stringify(last))
  assert.ok(last.message.includes(`chmod o+x ${join(platform.root, 'private')}`), last.message)
})

test('a home that cannot be written to is refused', { skip: !isRoot && 'needs root to become a user' }, async (t) => {
  const platform = new TestPlatform({ uid: 65_534 })
  t.after(() => platform.destroy())
  chownSync(platform.home, 0, 0)
  const { last } = await platform.up()
  assert.ok(last.event === 'failed' && last.code === 'home_not_writable', JSON.stringify(last))
  chownSync(platform.home, 65_534, 65_534)
})

test('root that may not look into other processes, as in a container, finds everything again too', {
  skip: !isRoot && 'needs root',
}, async (t) => {
  const through = ['setpriv', '--bounding-set=-sys_ptrace', '--inh-caps=-sys_ptrace']
  const platform = await started(t, { database: true, through })
  const before = await platform.pidOf('postgres')
  const running = [load(platform.httpPort), load(platform.apiPort)]
  signal(await supervisorPid(platform), 'SIGKILL')
  const { last } = await platform.up()
  assert.equal(last.event, 'ready', JSON.stringify(last))
  assert.equal(await platform.pidOf('postgres'), before)
  for (const it of running) assert.deepEqual((await it.stop()).failures, [])
  signal(before, 'SIGKILL')
  await eventually('another server is ready', async () => {
    const { programs } = await platform.ask('status', {})
    const { pid, state } = programs.find(({ name }) => name === 'postgres') ?? {}
    return pid !== undefined && pid !== before && state === 'running'
  })
  await platform.down()
  assert.deepEqual(platform.left(), [])
})
