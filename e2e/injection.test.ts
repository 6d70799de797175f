import assert from 'node:assert/strict'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Endpoint, JsonObject } from '@gantry/api'
import { endpoints } from '@gantry/api'
import { createResponseValidator } from '../packages/server/test/support/validate-responses.ts'
import { ask } from './support/http.ts'
import { hostileCommandLines } from './support/injection/command-lines.ts'
import { contractPlaces, type Filling, hostileBodies } from './support/injection/contract-places.ts'
import { exchange, type RawAnswer, type RawRequest } from './support/injection/exchange.ts'
import { hostileBranches, hostileFileNames, hostileManifests } from './support/injection/hostile-files.ts'
import { noisyApp, oddName, readingLines, serving } from './support/injection/noisy-app.ts'
import { pageRequests } from './support/injection/page-requests.ts'
import { type Payload, payloadsFor, scriptPayloads, terminalPayloads } from './support/injection/payloads.ts'
import { controlsIn, controlsInRemoteLines, onTerminal } from './support/injection/screen.ts'
import { setTraps, type Traps } from './support/injection/traps.ts'
import { type Platform, startPlatform } from './support/platform.ts'
import { anApp, createProject, type Project } from './support/project.ts'

/**
 * Every string that comes from outside is written by somebody hostile: nothing of it is run, called, or shown as anything
 * but text. `shop` is live and is read; `target` has nothing released and is changed.
 */

let platform: Platform
let traps: Traps
let payloads: readonly Payload[]
let filling: Filling
let shop: Project
const replies = createResponseValidator({ recordTo: process.env.GANTRY_RECORD_REPLIES })

/** Payloads sent to each place of the contract; each place begins where the one before ended. */
const perPlace = 8
const nothing = 'app-00000000000000000000000000'

before(async () => {
  platform = await startPlatform()
  traps = await setTraps(platform)
  payloads = payloadsFor(traps)
  shop = await createProject(platform, 'shop', anApp('one'))
  const pushed = await shop.push()
  assert.equal(pushed.exitCode, 0, pushed.output)
  await createProject(platform, 'target', anApp('target'))
  filling = await createFilling()
})
after(async () => {
  await platform.destroy()
  await traps.close()
})

/** Reading is about `shop`; what would end or begin something is about nothing, and what changes a field about `target`. */
async function createFilling(): Promise<Filling> {
  const ids = new Map<string, string>([
    ['apps', 'shop'],
    ['environments', 'shop'],
  ])
  for (const noun of ['builds', 'deploys', 'releases', 'instances', 'tokens', 'members']) {
    const { body } = await platform.api<Record<string, { id: string }[]>>('GET', `/v1/${noun}`)
    ids.set(noun, body[noun]?.[0]?.id ?? nothing)
  }
  const made = await platform.api<{ token: string }>('POST', '/v1/tokens', { name: 'injection' })
  let count = 0
  return {
    token: made.body.token, // requests are counted by token
    host: `127.0.0.1:${platform.apiPort}`,
    idFor(endpoint: Endpoint) {
      const noun = endpoint.path.split('/')[2] ?? ''
      if (endpoint.method === 'GET') return ids.get(noun) ?? nothing
      return endpoint.method === 'PATCH' && ['apps', 'environments'].includes(noun) ? 'target' : nothing
    },
    bodyFor(endpoint: Endpoint) {
      const example = structuredClone(
        endpoint.body && 'example' in endpoint.body ? endpoint.body.example : {},
      ) as JsonObject
      if (endpoint.operationId === 'create_deploy') return { ...example, environment: { id: 'target' } }
      if (endpoint.operationId === 'create_environment') return { ...example, app: { id: 'target' } }
      if (endpoint.operationId === 'create_app') return { name: `made-${++count}` }
      return example
    },
  }
}

async function send(request: RawRequest, what: string): Promise<RawAnswer> {
  const answer = await exchange(platform.apiPort, request)
  const { status, headers, body } = answer
  assert.ok(status < 500, `${what}: ${status} ${body}`)
  assert.equal(headers['x-injected'], undefined, what)
  const isStream = headers['content-type']?.startsWith('text/event-stream')
  const path = body.includes('is not valid HTTP') ? '/' : request.target // refused before there was a request
  replies.check({ method: request.method, path, status, headers, body: isStream ? undefined : body })
  return answer
}

/** So many at once. */
async function each<T>(
  items: readonly T[],
  atOnce: number,
  run: (item: T, index: number) => Promise<void>,
): Promise<void> {
  const entries = items.entries()
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (const [index, item] of entries) await run(item, index)
    }),
  )
}

test('every place of the contract takes hostile text as text', async (context) => {
  const places = contractPlaces(filling)
  const counts = new Map<number, number>()
  await each(places, 8, async (place, index) => {
    for (let n = 0; n < perPlace; n++) {
      const { text } = payloads[(index * perPlace + n) % payloads.length] as Payload
      const what = `${place.name} ${JSON.stringify(text.slice(0, 80))}`
      const { status } = await send(place.request(text), what)
      counts.set(status, (counts.get(status) ?? 0) + 1)
    }
  })
  assert.ok(places.length * perPlace > payloads.length)
  context.diagnostic(`${payloads.length} payloads, ${places.length} places, ${places.length * perPlace} requests`)
  context.diagnostic(
    [...counts]
      .sort()
      .map(([status, count]) => `${status}: ${count}`)
      .join(', '),
  )
})

test('bodies that are hostile as a whole are refused', async () => {
  const writing = endpoints.filter(({ body }) => body && 'schema' in body)
  await each(writing, 4, async (endpoint) => {
    const mediaType = endpoint.body?.mediaType ?? ''
    for (const body of hostileBodies()) {
      const headers = [
        ['Host', filling.host],
        ['Authorization', `Bearer ${filling.token}`],
        ['Content-Type', mediaType],
      ] as const
      const target = endpoint.path.replace('{id}', filling.idFor(endpoint))
      await send({ method: endpoint.method, target, headers, body }, `${endpoint.operationId} ${body.slice(0, 60)}`)
    }
  })
})

test('the command line passes hostile words on as text', async (context) => {
  const lines = hostileCommandLines(payloads)
  const cwd = join(platform.work, 'elsewhere')
  await mkdir(cwd)
  await each(lines, 4, async (line) => {
    const done = await platform.gantry(line, { cwd, env: onTerminal, timeoutMs: 30_000 })
    const what = `gantry ${JSON.stringify(line)}: ${done.exitCode} ${JSON.stringify(done.output)}`
    assert.ok(done.exitCode !== null && done.exitCode <= 6, what)
    assert.doesNotMatch(done.output, /fault of gantry itself/, what)
    assert.deepEqual(controlsIn(done.output), [], what)
  })
  context.diagnostic(`${lines.length} command lines`)
})

test('no page shows what a request brought along as anything but text', async (context) => {
  let pages = 0
  await each(scriptPayloads, 4, async (text) => {
    for (const { port, request } of pageRequests(platform, text)) {
      const { status, headers, body } = await exchange(port, request)
      const what = `${port} ${JSON.stringify(request)}: ${status} ${body}`
      assert.ok(status < 500 || status === 503, what)
      const isPage = headers['content-type']?.startsWith('text/html') ?? false
      if (isPage) pages++
      else if (port === platform.apiPort && status !== 400)
        assert.equal(headers['x-content-type-options'], 'nosniff', what)
      assert.ok(!isPage || !body.includes(text), what)
      assert.ok(!isPage || !/<[^>]*injected/.test(body), what)
    }
  })
  assert.ok(pages >= scriptPayloads.length * 4)
  context.diagnostic(`${scriptPayloads.length} payloads, ${pages} pages`)
})

/** With a git that passes on all that the other side sends. */
function push({ folder }: Project, ...refs: readonly string[]) {
  const args = ['-c', 'sideband.allowControlCharacters=true', 'push', '--force', 'gantry', ...refs]
  return platform.git(args, { cwd: folder, timeoutMs: 30_000 })
}

test('what is pushed is read as text', async (context) => {
  const project = await createProject(platform, 'manifests', {})
  const trees = hostileManifests(traps)
  for (const { what, files } of trees) {
    await project.write(Object.fromEntries(Object.entries(files).filter(([, text]) => text !== '')))
    await project.commit(what)
    const done = await push(project, 'main')
    assert.ok(done.exitCode === 0 || done.exitCode === 1, `${what}: ${done.output}`)
    assert.doesNotMatch(done.output, /internal_error|inside Gantry/, what)
    assert.deepEqual(controlsInRemoteLines(done.output), [], `${what}: ${JSON.stringify(done.output)}`)
    await platform.git(['rm', '-rqf', '.'], { cwd: project.folder })
  }
  context.diagnostic(`${trees.length} manifests`)
})

test('branches and files may be called anything that git takes', async (context) => {
  const project = await createProject(platform, 'names', anApp('one'))
  const branches = hostileBranches(payloads)
  const kept = await push(project, ...branches.map((name) => `main:refs/heads/${name}`))
  assert.ok(kept.exitCode === 0, kept.output)
  assert.deepEqual(controlsInRemoteLines(kept.output), [], JSON.stringify(kept.output))
  const files = hostileFileNames(payloads)
  await project.write(Object.fromEntries(files.map((name) => [name, name])))
  await project.commit('Names')
  const shell = branches.filter((name) => name.includes(traps.canaryName) && name.includes('touch')).slice(0, 4)
  for (const branch of shell) {
    assert.equal((await platform.api('PATCH', '/v1/apps/names', { branch })).status, 200, branch)
    const done = await push(project, `main:refs/heads/${branch}`)
    assert.equal(done.exitCode, 0, done.output)
    await project.commit('Again')
  }
  assert.equal((await ask(platform.httpPort, 'names.localhost')).body, 'one')
  const sent = await platform.gantry(['deploy', '--app', 'names'], { cwd: project.folder, env: onTerminal })
  assert.ok(sent.exitCode === 0 || sent.exitCode === 1 || sent.exitCode === 2, sent.output)
  assert.deepEqual(controlsIn(sent.output), [], JSON.stringify(sent.output))
  context.diagnostic(
    `${branches.length} branches, ${shell.length} deployed, ${files.length} files; sent: ${sent.exitCode}`,
  )
})

test('what an app and its people write reaches no terminal but as text', async (context) => {
  const project = await createProject(platform, 'noisy', {})
  const shown: string[] = []
  for (const end of [
    { build: 'process.exit(1)', start: '' },
    { build: '', start: 'process.exit(1)' },
    { build: '', start: serving },
  ]) {
    await project.write(noisyApp(end))
    await project.commit(terminalPayloads.join(' '))
    const done = await push(project, 'main')
    assert.match(done.output, /remote: .*said 3 /)
    assert.deepEqual(controlsInRemoteLines(done.output), [], JSON.stringify(done.output))
  }
  await nameThings()
  for (const line of readingLines) {
    const done = await platform.gantry([...line.split(' ')], { cwd: project.folder, env: onTerminal })
    assert.equal(done.exitCode, 0, `${line}: ${done.output}`)
    assert.deepEqual(controlsIn(done.output), [], `${line}: ${JSON.stringify(done.output)}`)
    shown.push(done.output)
  }
  assert.match(shown.join(''), /said 3 .*\\u001b/)
  assert.match(shown.join(''), /\\u009b2J/)
  context.diagnostic(`${terminalPayloads.length} payloads, ${readingLines.length} command lines`)
})

async function nameThings(): Promise<void> {
  await platform.api('POST', '/v1/tokens', { name: oddName })
  await platform.api('POST', '/v1/members', { name: 'odd\u202etxt' })
  const variables = Object.fromEntries(terminalPayloads.map((text, index) => [`P${index}`, text]))
  assert.equal((await platform.api('PATCH', '/v1/environments/noisy/config', { variables })).status, 200)
  assert.equal((await platform.api('PATCH', '/v1/apps/noisy', { branch: oddName, root: oddName })).status, 200)
}

test('nothing was run and nobody called, and the platform still deploys', async () => {
  const variables = Object.fromEntries(configured().map((text, index) => [`V${index}`, text]))
  await platform.api('PATCH', '/v1/apps/target', { branch: 'main', root: '' })
  assert.equal((await platform.api('PATCH', '/v1/environments/target/config', { variables })).status, 200)
  const target: Project = { ...shop, folder: join(platform.work, 'target') }
  const done = await push(target, 'main')
  assert.equal(done.exitCode, 0, done.output)
  const answer = await ask(platform.httpPort, 'target.localhost', { path: '/env' })
  const seen = JSON.parse(answer.body) as Record<string, string>
  for (const [name, text] of Object.entries(variables)) assert.equal(seen[name], text)
  assert.deepEqual(await traps.canaries(), [])
  assert.equal(traps.calls(), 0)
  const log = await readFile(join(platform.home, 'log', 'server.log'), 'utf8')
  assert.deepEqual(log.match(/.*"level":"error".*/g) ?? [], [])
})

/** What config takes: any text but NUL and half surrogates. */
function configured(): readonly string[] {
  const texts = payloads.map(({ text }) => text).filter((text) => text.isWellFormed() && !text.includes('\u0000'))
  return texts.slice(0, 300)
}
