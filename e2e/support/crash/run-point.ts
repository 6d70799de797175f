import { setTimeout as wait } from 'node:timers/promises'
import { eventually } from '../eventually.ts'
import { askLifecycle } from '../lifecycle.ts'
import { type LoadReport, startLoad } from '../load.ts'
import { untilReached } from './failpoint-file.ts'
import { type JourneyResult, journeys } from './journeys.ts'
import type { Point, Victim } from './points.ts'
import { isRunning } from './processes.ts'
import { assertAtRest } from './resting.ts'
import type { LiveRelease, World } from './world.ts'

export interface PointReport {
  /** From the kill until everything is at rest. */
  readonly recoveryMs: number
  readonly requests: number
  readonly failures: number
  readonly wentLive: boolean
}

const clients = { keepAlive: 2, closing: 1, posting: 1, pauseMs: 10 }
/** A request in flight for every client, and another on a connection that had died without a word. */
const connections = clients.keepAlive + clients.closing + clients.posting
const reachMs = 20_000
const restMs = 60_000

/** Kills the victim at the failpoint of the journey, and proves that the platform comes to rest as if nothing had been. */
export async function runPoint(world: World, point: Point, before: LiveRelease, name: string): Promise<PointReport> {
  const { platform, failpoints } = world
  const load = startLoad({ port: platform.httpPort, host: world.host, ...clients, idPrefix: name })
  try {
    const what = point.victim === 'control-plane' ? 'end' : 'hold'
    const pid = await pidOf(world, point.victim)
    await failpoints.set(point.failpoint, what)
    const journey = journeys[point.journey].run(world)
    journey.catch(() => undefined)
    await untilReached(failpoints, what, reachMs)
    const killedAt = performance.now()
    await kill(world, point.victim, pid)
    const result = await journey
    const live = await eventually('the platform is at rest', () => assertAtRest(world), restMs)
    const recoveryMs = performance.now() - killedAt
    const report = await load.stop()
    await eventually('the platform is at rest after the load', () => assertAtRest(world), restMs)
    assertOutcome(world, point, { before, live, result })
    assertLoad(world, point, report, [before, live])
    return { recoveryMs, requests: report.requests, failures: report.failures.length, wentLive: live.id !== before.id }
  } finally {
    await failpoints.clear()
    await load.stop()
  }
}

async function pidOf({ platform }: World, victim: Victim): Promise<number> {
  const { pid, programs } = await askLifecycle(platform.home)
  const found = victim === 'supervisor' ? pid : programs.find((program) => program.name === victim)?.pid
  if (!found) throw new Error(`${victim} does not run`)
  return found
}

/** The control plane has killed itself. Nobody starts the supervisor but a user. */
async function kill({ platform, failpoints }: World, victim: Victim, pid: number): Promise<void> {
  if (victim !== 'control-plane') process.kill(pid, 'SIGKILL')
  while (isRunning(pid)) await wait(2)
  await failpoints.letGo()
  if (victim !== 'supervisor') return
  const up = await platform.gantry(['up', '--detach', '--no-sample'], { timeoutMs: restMs })
  if (up.exitCode !== 0) throw new Error(`gantry up after the supervisor was killed: ${up.output}`)
}

interface Outcome {
  readonly before: LiveRelease
  readonly live: LiveRelease
  readonly result: JourneyResult
}

function assertOutcome(world: World, { journey }: Point, { before, live, result }: Outcome): void {
  if (!journeys[journey].mayGoLive && live.id !== before.id)
    throw new Error(`${world.answerOf(live)} is live and must not be`)
  if (result.promised && live.commitSha !== result.promised)
    throw new Error(`the push said that it is live, and ${world.answerOf(live)} is`)
}

function assertLoad(world: World, { victim }: Point, report: LoadReport, releases: readonly LiveRelease[]): void {
  const allowed = victim === 'router' ? connections : 0
  if (report.failures.length > allowed)
    throw new Error(
      `${report.failures.length} requests failed, ${allowed} may:\n${report.failures.slice(0, 8).join('\n')}`,
    )
  const versions = new Set(releases.map((release) => world.answerOf(release)))
  const strange = [...report.versions].filter((answer) => !versions.has(answer))
  if (strange.length > 0) throw new Error(`answers of neither the old nor the new release: ${strange.join(', ')}`)
  const lost = report.postedIds.filter((id) => world.ledger.countOf(id) === 0)
  const doubled = report.sentIds.filter((id) => world.ledger.countOf(id) > 1)
  if (lost.length + doubled.length > 0) throw new Error(`POSTs lost: ${lost.join()}; doubled: ${doubled.join()}`)
}
