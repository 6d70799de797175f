import { randomBytes } from 'node:crypto'
import { closeSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { systemClock } from '../kernel/clock.ts'
import { messageOf, UserError } from '../kernel/errors.ts'
import { spawnArgv } from '../kernel/spawn-argv.ts'
import { readBuildIdentity } from './build-identity.ts'
import { createTell, failedEvent } from './events.ts'
import { openHome } from './home/folders.ts'
import { type HomeLock, lockHome, waitForHomeLock } from './home/lock.ts'
import { takeHome } from './lifecycle/meet-running.ts'
import { stopLeftovers } from './lifecycle/stop-leftovers.ts'
import { createFileLogger } from './log-file.ts'
import { logPath } from './programs/platform-programs.ts'
import { openLog } from './programs/program-log.ts'
import { readSupervisorSettings } from './settings.ts'
import { Supervisor } from './supervisor.ts'
import type { SupervisorContext, SupervisorDeps } from './supervisor-deps.ts'
import { rootUsers } from './users.ts'

/**
 * `main.ts supervisor`: runs the platform until it is told to stop; with `GANTRY_STOP_ONLY` only stops what a killed one left. Says how it goes on the descriptor that
 * `GANTRY_EVENTS_FD` names (`events.ts`), logs to GANTRY_HOME/log. `given` replaces parts in tests.
 */
export async function runSupervisor(given: Partial<SupervisorDeps> = {}): Promise<void> {
  const deps = { ...realDeps(), ...given }
  process.umask(0o022)
  process.on('SIGHUP', () => undefined) // the terminal is gone, the platform stays
  try {
    const context = openContext(deps)
    process.on('uncaughtException', (error) => {
      context.log.error({ cause: error.stack ?? messageOf(error) }, 'a fault: this supervisor ends, all else goes on')
      deps.exit(1)
    })
    if (deps.environment.GANTRY_STOP_ONLY !== undefined) return await stopOnly(context)
    const lock = await takeLock(context)
    if (lock) await supervise(context, lock)
  } catch (error) {
    deps.tell(failedEvent(error))
    deps.exit(1)
  }
}

function realDeps(): SupervisorDeps {
  const main = fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? '../main.ts' : '../main.js', import.meta.url))
  // a small nursery: the control plane is idle most of the time, and its heap would grow by 40 MB for nothing [m]
  const nodeFlags = { supervisor: [], 'control-plane': ['--max-semi-space-size=1'], router: [] }
  const programs = { supervisor: 'supervisor', 'control-plane': 'server', router: 'router' }
  return {
    environment: process.env,
    users: process.getuid?.() === 0 ? rootUsers : undefined,
    identity: readBuildIdentity(join(main, '..')),
    commandOf: (part) => ({
      file: process.execPath,
      args: [...process.execArgv, ...nodeFlags[part], main, programs[part]],
    }),
    clock: systemClock,
    randomBytes,
    spawn: spawnArgv,
    tell: createTell(process.env.GANTRY_EVENTS_FD),
    exit: (code) => process.exit(code),
  }
}

function openContext(deps: SupervisorDeps): SupervisorContext {
  const settings = readSupervisorSettings(deps.environment, deps.users !== undefined)
  const home = openHome(settings.home, deps.users)
  const log = createFileLogger(openLog(logPath(home.path, 'supervisor')), deps.clock, { pid: process.pid })
  return { ...deps, settings, home, log }
}

/** Undefined when another supervisor runs this build's platform now. */
async function takeLock(context: SupervisorContext): Promise<HomeLock | undefined> {
  if (context.environment.GANTRY_SUCCESSOR !== undefined) return await succeed(context)
  const meeting = await takeHome(context)
  if ('lock' in meeting) return meeting.lock
  const { pid, version, home, apiUrl, httpPort } = meeting.upgraded
  const ms = Math.round(context.clock.monotonicMs())
  context.tell({ event: 'ready', pid, version, home, api_url: apiUrl, http_port: httpPort, ms })
  context.exit(0)
  return undefined
}

/** Cleans up after a supervisor that was killed, and ends. */
async function stopOnly(context: SupervisorContext): Promise<void> {
  const lock = await lockHome(context.home.key)
  if (!lock) throw new UserError('already_running', `A supervisor runs over ${context.home.path}: ask it to stop.`)
  context.tell({ event: 'stopped', found: await stopLeftovers(context) })
  await lock.release()
  context.exit(0)
}

/** Says that it is loaded, and waits for the supervisor before it to let go. */
async function succeed(context: SupervisorContext): Promise<HomeLock> {
  const readyFd = Number(context.environment.GANTRY_READY_FD)
  writeSync(readyFd, '{"ready":true}\n')
  closeSync(readyFd)
  const lock = await waitForHomeLock(context.home.key, context.clock, 15_000)
  if (!lock) throw new Error('the supervisor before this one does not let go of the home')
  return lock
}

async function supervise(context: SupervisorContext, lock: HomeLock): Promise<void> {
  const supervisor = new Supervisor(context, lock)
  const stop = () => {
    supervisor.down().catch((error: unknown) => {
      context.log.error({ cause: messageOf(error) }, 'cannot stop')
      context.exit(1)
    })
  }
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
  await supervisor.start()
}
