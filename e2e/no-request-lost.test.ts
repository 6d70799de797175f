import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startLoad } from './support/load.ts'
import { type Platform, startPlatform } from './support/platform.ts'
import { anApp, createProject, type Project } from './support/project.ts'
import { openEvents, openWebSocket, type StreamEnd } from './support/streams.ts'

const deploys = 20
const handOvers = 10

let platform: Platform
let project: Project
before(async () => {
  platform = await startPlatform()
  project = await createProject(platform, 'shop', anApp('v0'))
  assert.equal((await project.push()).exitCode, 0)
})
after(() => platform.destroy())

/** Opens a stream whenever the last one has ended, until told to stop. */
function keepOpen(open: () => Promise<{ ended: Promise<StreamEnd>; close(): void }>) {
  const ends: StreamEnd[] = []
  const failures: string[] = []
  let stopped = false
  let current: { close(): void } | undefined
  const loop = (async () => {
    while (!stopped) {
      try {
        const stream = await open()
        current = stream
        if (stopped) stream.close()
        ends.push(await stream.ended)
      } catch (error) {
        failures.push(String(error))
      }
    }
  })()
  return {
    async stop() {
      stopped = true
      current?.close()
      await loop
      return { ends, failures }
    },
  }
}

test(`through ${deploys} deploys and ${handOvers} router hand-overs no request fails and no POST is lost or doubled`, async (t) => {
  const load = startLoad({ port: platform.httpPort, host: 'shop.localhost', keepAlive: 8, closing: 4, posting: 2 })
  const events = keepOpen(() => openEvents(platform.httpPort, 'shop.localhost', '/events'))
  const sockets = keepOpen(() => openWebSocket(platform.httpPort, 'shop.localhost'))
  for (let n = 1; n <= deploys; n++) {
    const pushed = await project.release(anApp(`v${n}`))
    assert.equal(pushed.exitCode, 0, pushed.output)
    if (n % (deploys / handOvers) === 0) {
      const handed = await platform.gantry(['restart', 'router'])
      assert.equal(handed.exitCode, 0, handed.output)
    }
  }
  const report = await load.stop()
  const [eventReport, socketReport] = [await events.stop(), await sockets.stop()]
  t.diagnostic(
    `${report.requests} requests, ${report.failures.length} failed; ${report.postedIds.length} POSTs; ` +
      `${eventReport.ends.length} event streams, ${socketReport.ends.length} WebSockets`,
  )
  assert.deepEqual(report.failures, [])
  assert.deepEqual([...eventReport.failures, ...socketReport.failures], [])
  assert.equal(report.versions.size, deploys + 1)
  assert.deepEqual(await takenIds(), [...report.postedIds].sort(byNumber))
})

/** Ids that the app says it took, from its output. */
async function takenIds(): Promise<string[]> {
  const logs = await platform.gantry(['logs', '--app', 'shop', '-n', '100000', '--json'])
  assert.equal(logs.exitCode, 0, logs.stderr)
  const ids = [...logs.stdout.matchAll(/order (id-[0-9]+)/g)].flatMap((match) => match[1] ?? [])
  return ids.sort(byNumber)
}

function byNumber(a: string, b: string): number {
  return Number(a.slice(3)) - Number(b.slice(3))
}
