import assert from 'node:assert/strict'
import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { refusal, startFakePlatform } from '../test/support/fake-platform.ts'
import { contextFor, recordTerminal, runCommand } from '../test/support/run-command.ts'

let home: string
let file: string
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'gantry-test-'))
  file = join(home, '.config/gantry/login.json')
})
afterEach(() => rm(home, { recursive: true }))

const loginOf = (env: Record<string, string>) =>
  contextFor(recordTerminal().terminal, { env: { HOME: home, ...env } }).login()

test('a login is kept in a file that only its owner reads, even where it was open before', async () => {
  const platform = await startFakePlatform()
  await mkdir(join(file, '..'), { recursive: true })
  await writeFile(file, '{}')
  await chmod(file, 0o666)
  const done = await runCommand(['login', `${platform.url}/`], { env: { HOME: home }, input: 'secret\n' })
  await platform.close()
  assert.match(done.stderr, /Signed in to Gantry/)
  assert.equal((await stat(file)).mode & 0o777, 0o600)
  assert.deepEqual(JSON.parse(await readFile(file, 'utf8')), { url: platform.url, token: 'secret' })
  assert.deepEqual(await loginOf({}), { url: platform.url, token: 'secret' })
})

test('a token that the platform refuses is not kept', async () => {
  const platform = await startFakePlatform({ get_platform: refusal(401, 'unauthorized', 'This token is not valid.') })
  await assert.rejects(runCommand(['login', platform.url], { env: { HOME: home }, input: 'secret' }), { status: 401 })
  await platform.close()
  await assert.rejects(stat(file), { code: 'ENOENT' })
})

for (const url of ['gantry.example.com', 'ftp://example.com', 'javascript:alert(1)', '-x']) {
  test(`${url} is no address to sign in to`, async () => {
    await assert.rejects(runCommand(['login', '--', url], { env: { HOME: home }, input: 'secret' }), { exitCode: 2 })
  })
}

test('the environment comes before the saved login, and that before the owner of this machine', async () => {
  const gantryHome = join(home, '.gantry')
  await mkdir(gantryHome)
  await writeFile(join(gantryHome, 'owner-token'), 'owner\n')
  assert.deepEqual(await loginOf({}), { url: 'http://localhost:4400', token: 'owner' })
  await mkdir(join(file, '..'), { recursive: true })
  await writeFile(file, JSON.stringify({ url: 'https://far.example', token: 'saved' }))
  assert.deepEqual(await loginOf({}), { url: 'https://far.example', token: 'saved' })
  assert.deepEqual(await loginOf({ GANTRY_HOME: gantryHome }), { url: 'http://localhost:4400', token: 'owner' })
  assert.deepEqual(await loginOf({ GANTRY_URL: 'https://x.example', GANTRY_TOKEN: 't' }), {
    url: 'https://x.example',
    token: 't',
  })
})

test("the owner's token of this machine goes to no other machine", async () => {
  await mkdir(join(home, '.gantry'))
  await writeFile(join(home, '.gantry/owner-token'), 'owner\n')
  assert.deepEqual(await loginOf({ GANTRY_URL: 'https://far.example' }), {
    url: 'https://far.example',
    token: undefined,
  })
})

test('a damaged login says so and what to do', async () => {
  await mkdir(join(file, '..'), { recursive: true })
  await writeFile(file, '{"url":')
  await assert.rejects(loginOf({}), { exitCode: 2, hint: /gantry login/ })
})

test('the platform over the home is asked on the port that it has', async () => {
  const gantryHome = join(home, '.gantry')
  await mkdir(join(gantryHome, 'run'), { recursive: true })
  await writeFile(join(gantryHome, 'owner-token'), 'owner\n')
  const supervisor = createServer((socket) => {
    socket.once('data', () => socket.end(`${JSON.stringify({ id: 1, ok: { apiUrl: 'http://192.0.2.1:4401' } })}\n`))
  })
  await new Promise<void>((resolve) => supervisor.listen(join(gantryHome, 'run/lifecycle.sock'), resolve))
  const here = { url: 'http://192.0.2.1:4401', token: 'owner' }
  assert.deepEqual(await loginOf({}), here)
  assert.deepEqual(await loginOf({ GANTRY_HOME: gantryHome, GANTRY_API_PORT: '4400' }), here)
  const other = { url: 'https://far.example', token: undefined }
  assert.deepEqual(await loginOf({ GANTRY_URL: other.url }), other)
  await new Promise((resolve) => supervisor.close(resolve))
  assert.deepEqual(await loginOf({}), { url: 'http://localhost:4400', token: 'owner' })
})

test('a GANTRY_URL that is no address says so', async () => {
  await assert.rejects(loginOf({ GANTRY_URL: 'gantry' }), { exitCode: 2, message: /GANTRY_URL is "gantry"/ })
})

test('an invitation is traded for a token, and that is kept', async () => {
  const shown = 'gantry_7Qm2vXfK3pYhB9sWcT5nDzJr8LgVa1Ue4'
  const platform = await startFakePlatform({}, ['invite', shown])
  const done = await runCommand(['join', platform.url, '--name', 'laptop'], { env: { HOME: home }, input: 'invite\n' })
  await platform.close()
  assert.match(done.stderr, /Signed in to Gantry/)
  const [made, asked] = platform.seen
  assert.deepEqual([made?.operation, made?.headers.authorization], ['create_token', 'Bearer invite'])
  assert.deepEqual(made?.body, { name: 'laptop' })
  assert.deepEqual(JSON.parse(await readFile(file, 'utf8')), { url: platform.url, token: shown })
  assert.equal(asked?.headers.authorization, `Bearer ${shown}`)
})

test('signing out removes what was kept, and can be repeated', async () => {
  const platform = await startFakePlatform()
  await runCommand(['login', platform.url], { env: { HOME: home }, input: 'secret' })
  await platform.close()
  assert.match((await runCommand(['logout'], { env: { HOME: home } })).stderr, /Signed out/)
  await assert.rejects(stat(file), { code: 'ENOENT' })
  assert.match((await runCommand(['logout'], { env: { HOME: home } })).stderr, /Nobody is signed in/)
})
