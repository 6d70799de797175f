import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '../kernel/clock.ts'
import type { Logger } from '../kernel/logger.ts'
import { hasProcessEnded, nameProcess } from '../kernel/process-life.ts'
import { joinSupervisor, type SupervisedProgram } from '../kernel/supervised-program.ts'
import { createControlPlaneClient } from './control-plane-client.ts'
import { type FollowDeps, followTable, joinTable } from './follow-table.ts'
import { fitDescriptors, readLimits } from './limits.ts'
import { createLineLogger } from './line-logger.ts'
import { routerIdPrefix } from './protocol.ts'
import { createReporter, keepReporting } from './report-metrics.ts'
import { createRequestIds } from './request-ids.ts'
import { createRouter } from './router.ts'
import { createSavedTable, loadSavedTable } from './saved-table.ts'

/**
 * Serving begins when the control plane has answered once: only then it knows this router and waits for its
 * acknowledgements. If none answers in time it begins with the saved table, or without any.
 */
const savedTableMs = 2000
const noTableMs = 10_000

/** The router as a program of the supervisor. Returns when it has drained after SIGTERM. */
export async function runRouter(
  logger = createLineLogger((line) => process.stdout.write(line), systemClock.now),
): Promise<void> {
  const program = joinSupervisor(process.env)
  if (!program) throw new Error('the router is started by `gantry up`, which gives it its listening sockets')
  try {
    await serve(program, logger)
  } catch (error) {
    program.failed(error)
    throw error
  }
}

async function serve(program: SupervisedProgram, logger: Logger): Promise<void> {
  const terminated = new Promise<void>((resolve) => process.once('SIGTERM', resolve).once('SIGINT', resolve))
  const { home, run } = folders(process.env)
  const routerId = `${routerIdPrefix}${nameProcess(process.pid)}`
  const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  const saved = createSavedTable({ folder: join(home, 'routing'), routerId, isGone })
  const client = createControlPlaneClient(join(run, 'routing.sock'), routerId)
  const reporting: { nudge?: () => void } = {}
  const router = createRouter({
    limits: fitDescriptors(readLimits(process.env), readFileSync('/proc/self/limits', 'latin1')),
    logger,
    newRequestId: createRequestIds(randomBytes(8)),
    nowMs: () => performance.now(),
    wallMs: () => Date.now(),
    onDrained: () => reporting.nudge?.(),
  })
  for (const update of await loadSavedTable(join(home, 'routing'), bootId)) router.table.apply(update)
  const stopped = new AbortController()
  const { table } = router
  const reporter = createReporter({ table, client, routerId })
  const deps: FollowDeps = { table, saved, client, reporter, clock: systemClock, logger, routerId, bootId }
  const waitMs = router.table.position ? savedTableMs : noTableMs
  await joinTable(deps, AbortSignal.any([stopped.signal, AbortSignal.timeout(waitMs)]))
  const following = followTable(deps, stopped.signal)
  for (const { fd } of program.sockets) await router.listen({ fd })
  const metrics = keepReporting(deps, stopped.signal)
  reporting.nudge = metrics.nudge
  program.ready()
  logger.info({ routerId, ...router.table.position }, 'router ready')
  await terminated
  program.draining()
  await router.drain()
  stopped.abort()
  await Promise.all([following, metrics.ended])
  await client.leave().catch(() => undefined)
  client.close()
}

function folders({ GANTRY_HOME: home, GANTRY_RUN: run }: Readonly<Record<string, string | undefined>>) {
  if (!home || !run) throw new Error('GANTRY_HOME and GANTRY_RUN must be set')
  return { home, run }
}

function isGone(routerId: string): boolean {
  return routerId.startsWith(routerIdPrefix) && hasProcessEnded(routerId.slice(routerIdPrefix.length))
}
