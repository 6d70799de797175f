import { existsSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { createInstanceVerbs } from '../instance-verbs.ts'
import { findServer } from '../postgres/server.ts'
import { endProcesses } from '../programs/end-and-ready.ts'
import { findSurvivors } from '../programs/find-survivors.ts'
import { adoptProgram } from '../programs/program-process.ts'
import type { SupervisorContext } from '../supervisor-deps.ts'

const programGraceMs = 10_000
const instanceGraceMs = 10_000
const databaseGraceMs = 30_000

/**
 * Stops what a supervisor that was killed left running over this home, in the order of `Supervisor.down`. Tells whether there
 * was anything.
 */
export async function stopLeftovers(context: SupervisorContext): Promise<boolean> {
  const { clock, log } = context
  const programs = findSurvivors(context).map(({ pid, startTicks }) => adoptProgram(pid, startTicks, clock))
  log.info({ programs: programs.length }, 'stopping what was left')
  await endProcesses(programs, programGraceMs, clock)
  const instances = await stopInstances(context)
  const dataFolder = join(context.home.path, 'db/data')
  const server = existsSync(dataFolder) ? findServer(realpathSync(dataFolder), clock) : undefined
  if (server) await endProcesses([server], databaseGraceMs, clock)
  return programs.length > 0 || instances > 0 || server !== undefined
}

async function stopInstances({ home, users, clock, log, spawn }: SupervisorContext): Promise<number> {
  const controlPlane = users && { uid: users.controlPlane, gid: users.controlPlane }
  const verbs = await createInstanceVerbs({ home: home.path, controlPlane, clock, log, start: spawn })
  const running = verbs.instances.observe(undefined).filter(({ state }) => state !== 'ended')
  await verbs.instances.stopAll(instanceGraceMs)
  verbs.close()
  return running.length
}
