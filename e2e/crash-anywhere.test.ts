import assert from 'node:assert/strict'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { allFailpoints, choosePoints, everyPoint, type Point, victims } from './support/crash/points.ts'
import { assertAtRest } from './support/crash/resting.ts'
import { type PointReport, runPoint } from './support/crash/run-point.ts'
import { createWorld, type World } from './support/crash/world.ts'
import { eventually } from './support/eventually.ts'

/** How many points, or `all`; and, to look at some again, a part of their names: `push, route.after` or `postgres`. */
const wanted = process.env.GANTRY_CRASH_POINTS ?? '12'
const only = process.env.GANTRY_CRASH_ONLY
const seed = Number(process.env.GANTRY_TEST_SEED ?? 1)
const all = everyPoint()
const nameOf = (point: Point) => `${point.journey}, ${point.failpoint}, ${point.victim}`
const chosen = only
  ? all.filter((point) => nameOf(point).includes(only))
  : choosePoints(all, wanted === 'all' ? all.length : Number(wanted), seed)

let folder: string
let world: World | undefined
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gantry-e2e-'))
  await chmod(folder, 0o711)
})
after(async () => {
  await world?.close()
  await rm(folder, { recursive: true, force: true })
})

/** One platform for all points, until one of them fails: what that left would be held against the next. */
async function atPoint(point: Point, name: string): Promise<PointReport> {
  world ??= await createWorld(folder)
  const { rows } = world
  try {
    const live = await eventually('the platform is at rest before', () => assertAtRest(world as World))
    return await runPoint(world, point, live, name)
  } catch (error) {
    const deploys = await rows
      .query('select id, kind, status, error_code, error_message from deploys order by created_at desc limit 3')
      .catch(() => [])
    await world.close()
    world = undefined
    throw new Error(`${String(error)}\ncause: ${String((error as Error).cause)}\n${JSON.stringify(deploys)}`)
  }
}

test('every failpoint is crashed at, with every victim', () => {
  for (const failpoint of allFailpoints)
    for (const victim of victims)
      assert.ok(
        all.some((point) => point.failpoint === failpoint && point.victim === victim),
        `${failpoint} with ${victim}`,
      )
  assert.ok(all.length >= 100)
})

test(`kill -9 at ${chosen.length} of ${all.length} points: exactly the old or the new release, nothing left over`, async (t) => {
  t.diagnostic(`GANTRY_TEST_SEED=${seed}`)
  const reports: (PointReport & { readonly name: string; readonly victim: string })[] = []
  for (const [n, point] of chosen.entries()) {
    const name = nameOf(point)
    await t.test(name, async (tt) => {
      const startedAt = performance.now()
      const report = await atPoint(point, `p${n}`)
      reports.push({ ...report, name, victim: point.victim })
      const took = Math.round(performance.now() - startedAt)
      tt.diagnostic(
        `${took} ms, at rest ${Math.round(report.recoveryMs)} ms after the kill, ${report.wentLive ? 'new' : 'old'} release`,
      )
    })
  }
  const slowest = reports.toSorted((a, b) => b.recoveryMs - a.recoveryMs)[0]
  const sum = (count: (report: PointReport) => number) => reports.reduce((total, report) => total + count(report), 0)
  t.diagnostic(
    `${reports.length} of ${chosen.length} points passed (${victims.map((victim) => `${victim} ${reports.filter((report) => report.victim === victim).length}`).join(', ')}); ` +
      `${sum(({ wentLive }) => Number(wentLive))} ended on the new release; ${sum(({ requests }) => requests)} requests, ` +
      `${sum(({ failures }) => failures)} failed; slowest to rest: ${Math.round(slowest?.recoveryMs ?? 0)} ms (${slowest?.name})`,
  )
})
