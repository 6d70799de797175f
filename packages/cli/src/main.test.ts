import assert from 'node:assert/strict'
import { tmpdir } from 'node:os'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { refusal, startFakePlatform } from '../test/support/fake-platform.ts'
import { commands } from './commands/index.ts'
import { type RunResult, runArgv, spawnArgv } from './kernel/spawn-argv.ts'

const main = fileURLToPath(new URL('./main.ts', import.meta.url))

function gantry(words: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<RunResult> {
  const all = { PATH: process.env.PATH, HOME: tmpdir(), ...env }
  return runArgv(spawnArgv, process.execPath, ['--conditions=gantry-source', main, ...words], {
    cwd: tmpdir(),
    env: all,
  })
}

test('alone it prints every command, to standard output, and that fits 80 columns', async () => {
  const { exitCode, stdout, stderr } = await gantry([])
  assert.deepEqual([exitCode, stderr], [0, ''])
  for (const { definition } of commands) assert.ok(stdout.includes(`  ${definition.path.join(' ')} `))
  for (const line of stdout.split('\n')) assert.ok(line.length <= 80, line)
})

test('it says its version', async () => {
  for (const word of ['--version', 'version']) assert.match((await gantry([word])).stdout, /^gantry \d+\.\d+\.\d+\n$/)
})

test('a group and a command have help with examples', async () => {
  assert.match((await gantry(['help', 'deploys'])).stdout, /deploys watch +Follow a deploy/)
  assert.match((await gantry(['logs', '--help'])).stdout, /--since.*Examples:\n {2}gantry logs -f\n/s)
})

test('what is mistyped is refused with what was meant, and ends with 2', async () => {
  const typed: readonly [words: string, said: RegExp][] = [
    ['aps', /unknown command 'aps'\n.*apps/],
    ['deploys shw', /Did you mean show\?\)\n.*gantry deploys --help lists/],
    ['nothing-like-it', /unknown command 'nothing-like-it'\n.*gantry help lists/],
    ['help deplys', /Did you mean .*deploys/],
    ['logs --folow', /Did you mean --follow\?/],
    ['config set', /missing required argument 'pairs'/],
    ['config set NAME', /NAME is not of the form NAME=value/],
    ['apps list what', /too many arguments/],
  ]
  for (const [words, said] of typed) {
    const done = await gantry(words.split(' '), { GANTRY_TOKEN: 'secret', GANTRY_URL: 'http://127.0.0.1:9' })
    assert.match(done.stderr, said)
    assert.deepEqual([done.exitCode, done.stdout], [2, ''])
  }
})

test('what is mistyped is refused as JSON with --json', async () => {
  for (const words of ['deploys shw --json', 'logs --folow --json', 'config set --json']) {
    const done = await gantry(words.split(' '))
    assert.deepEqual([done.exitCode, done.stdout], [2, ''])
    const { error } = JSON.parse(done.stderr)
    assert.equal(error.code, 'command_error')
    assert.match(error.message, /^(?:unknown|missing)/)
  }
})

test('a refusal of the API reaches the exit code; with --json it is JSON on standard error', async () => {
  const platform = await startFakePlatform({ get_app: refusal(404, 'not_found', 'There is no app shop.') })
  const env = { GANTRY_URL: platform.url, GANTRY_TOKEN: 'secret' }
  const done = await gantry(['apps', 'show', 'shop', '--json'], env)
  await platform.close()
  assert.deepEqual([done.exitCode, done.stdout], [4, ''])
  assert.deepEqual(JSON.parse(done.stderr), { error: { code: 'not_found', message: 'There is no app shop.' } })
})

test('a stream whose reader is gone ends by itself', { timeout: 20_000 }, async () => {
  const line = { id: '1-1', at: '2026-08-22T09:30:00.000Z', source: 'web.1', message: 'x'.repeat(1000) }
  const events = `id: 1-1\nevent: log\ndata: ${JSON.stringify(line)}\n\n`.repeat(2000)
  const platform = await startFakePlatform({ stream_environment_log: { events } })
  const child = spawnArgv(process.execPath, ['--conditions=gantry-source', main, 'logs', '-f', '--app', 'shop'], {
    cwd: tmpdir(),
    env: { PATH: process.env.PATH, HOME: tmpdir(), GANTRY_URL: platform.url, GANTRY_TOKEN: 'secret' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.stdout?.once('data', () => child.stdout?.destroy())
  assert.equal(await ended, 130)
  await platform.close()
})

test('Ctrl-C ends a stream with 130 and nothing said', { timeout: 20_000 }, async () => {
  const platform = await startFakePlatform({ stream_environment_log: { events: ': nothing\n' } })
  const child = spawnArgv(process.execPath, ['--conditions=gantry-source', main, 'logs', '-f', '--app', 'shop'], {
    cwd: tmpdir(),
    env: { PATH: process.env.PATH, HOME: tmpdir(), GANTRY_URL: platform.url, GANTRY_TOKEN: 'secret' },
    stdio: ['ignore', 'inherit', 'pipe'],
  })
  let said = ''
  child.stderr?.on('data', (text: Buffer) => {
    said += text.toString()
  })
  const ended = new Promise((resolve) => child.once('close', resolve))
  while (platform.seen.length === 0) await new Promise((resolve) => setTimeout(resolve, 20))
  child.kill('SIGINT')
  assert.deepEqual([await ended, said], [130, ''])
  await platform.close()
})
