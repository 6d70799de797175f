import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type pg from 'pg'
import { connectDatabase, databasePids } from './support/database.ts'
import { eventually } from './support/eventually.ts'
import { startLoad } from './support/load.ts'
import { type Platform, startPlatform } from './support/platform.ts'
import { anApp, createProject, type Project } from './support/project.ts'

let platform: Platform
let project: Project
before(async () => {
  platform = await startPlatform()
  project = await createProject(platform, 'shop', anApp('v1'))
  assert.equal((await project.push()).exitCode, 0)
})
after(() => platform.destroy())

const load = () => startLoad({ port: platform.httpPort, host: 'shop.localhost', keepAlive: 4, closing: 2, posting: 1 })
const frozenMs = 20_000
/** The promise is 2 s; a test machine that is busy with other things may add to it. */
const answerMs = 3_000
const patienceMs = 10_000

interface Asked {
  readonly status: number
  readonly tookMs: number
}

async function askApi(): Promise<Asked> {
  const began = performance.now()
  const { status } = await platform.api('GET', '/v1/apps')
  return { status, tookMs: performance.now() - began }
}

async function signal(pids: readonly number[], name: NodeJS.Signals): Promise<void> {
  for (const pid of pids) {
    try {
      process.kill(pid, name)
    } catch {
      // a connection's process that has ended meanwhile
    }
  }
}

let version = 1
/** A deploy that is there once: whoever asks later is not told of two. */
async function deploysOnce(): Promise<void> {
  const next = `v${++version}`
  const pushed = await project.release(anApp(next))
  assert.equal(pushed.exitCode, 0, pushed.output)
  const { body } = await platform.api<{ releases: { name: string }[] }>('GET', '/v1/releases?app_id=shop')
  assert.equal(body.releases[0]?.name, next)
}

test('a database that hangs for 20 s: apps never notice, the API says 503 and is well again right after', async (t) => {
  const running = load()
  const pids = await databasePids(platform)
  const answers: Asked[] = []
  await signal(pids, 'SIGSTOP')
  try {
    const end = performance.now() + frozenMs
    while (performance.now() < end) {
      answers.push(...(await Promise.all([askApi(), askApi(), askApi()])))
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
  } finally {
    await signal(pids, 'SIGCONT')
  }
  const thawedAt = performance.now()
  await eventually('the API answers', async () => assert.equal((await askApi()).status, 200), patienceMs)
  const slowest = Math.max(...answers.map((answer) => answer.tookMs))
  t.diagnostic(
    `${answers.length} answers, the slowest after ${slowest.toFixed(0)} ms; well after ${(performance.now() - thawedAt).toFixed(0)} ms`,
  )
  assert.deepEqual([...new Set(answers.map((answer) => answer.status))], [503])
  assert.ok(slowest < answerMs, `the slowest answer took ${slowest} ms`)
  await deploysOnce()
  assert.deepEqual((await running.stop()).failures, [])
})

test('kill -9 of the whole database: what was acknowledged is there, and it is well again within 10 s', async (t) => {
  const running = load()
  const named: string[] = []
  let isOver = false
  const writing = (async () => {
    while (!isOver) {
      const name = `app-${named.length}`
      const created = await platform.api('POST', '/v1/apps', { name }).catch(() => ({ status: 0 }))
      if (created.status === 201) named.push(name)
      else if (created.status === 409)
        named.push(name) // its answer was lost
      else await new Promise((resolve) => setTimeout(resolve, 50))
    }
  })()
  await eventually('some are written', () => assert.ok(named.length > 5))
  await signal(await databasePids(platform), 'SIGKILL')
  const killedAt = performance.now()
  const known = named.length
  await eventually('writing goes on', () => assert.ok(named.length > known + 3), patienceMs)
  t.diagnostic(`writing again after ${(performance.now() - killedAt).toFixed(0)} ms`)
  isOver = true
  await writing
  for (const name of named) assert.equal((await platform.api('GET', `/v1/apps/${name}`)).status, 200, name)
  await deploysOnce()
  assert.deepEqual((await running.stop()).failures, [])
})

test('all connections of the database taken: the API still answers, and deploys go on when they are given back', async () => {
  const running = load()
  const taken: pg.Client[] = []
  try {
    for (;;) taken.push(await connectDatabase(platform))
  } catch (error) {
    assert.match(String(error), /too many|remaining connection slots|timeout/)
  }
  assert.ok(taken.length > 10)
  const answers = await Promise.all(Array.from({ length: 20 }, askApi))
  for (const { status, tookMs } of answers) {
    assert.ok(status === 200 || status === 503, `${status}`)
    assert.ok(tookMs < answerMs, `${tookMs} ms`)
  }
  await Promise.all(taken.map((client) => client.end()))
  await eventually('the API answers', async () => assert.equal((await askApi()).status, 200), patienceMs)
  await deploysOnce()
  assert.deepEqual((await running.stop()).failures, [])
})
