import { randomBytes, randomUUID } from 'node:crypto'
import { statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { createKeyFiles, type KeyFiles, type KeyRing, openKeyRing } from './access/index.ts'
import { createSupervisorClient, type SupervisorClient } from './clients/supervisor/supervisor-client.ts'
import { composeRooms, type Rooms } from './compose-rooms.ts'
import type { Settings } from './config/settings.ts'
import type { Database } from './db/database.ts'
import { migrate } from './db/migrate.ts'
import { isDatabaseUnavailable, openDatabase, pingDatabase } from './db/open-database.ts'
import type { Engine } from './engines/engine.ts'
import { createLocalEngine } from './engines/local/local-engine.ts'
import { createHttpServer, type HttpServer, type ListenTarget } from './http/index.ts'
import type { Installation } from './installation.ts'
import { systemClock } from './kernel/clock.ts'
import { messageOf, UserError } from './kernel/errors.ts'
import { createFailpoints, type Failpoint } from './kernel/failpoint.ts'
import { createIds } from './kernel/ids.ts'
import type { Logger } from './kernel/logger.ts'
import {
  createKeyRotations,
  databaseCheck,
  defaultBatchSize,
  diskCheck,
  type KeyRotations,
  masterKeyCheck,
  platformRoutes,
  routersCheck,
  supervisorCheck,
} from './platform/index.ts'
import type { WorkRunner } from './work/work.ts'
import { createWorkRunner } from './work/work-runner.ts'

export interface PlatformOptions {
  readonly settings: Settings
  readonly installation: Installation
  /** Of the file `owner-token`. */
  readonly ownerToken: string
  readonly logger: Logger
  readonly environment: Readonly<Record<string, string | undefined>>
}

export interface Platform {
  /** Serves API, git and routers, then begins to work. Returns the ports. */
  start(targets: readonly ListenTarget[]): Promise<readonly number[]>
  /** In reverse order: nothing new is taken, what runs is let go of, the rows say where to go on. */
  stop(): Promise<void>
}

/** Everything that the rooms stand on. */
export interface Core extends PlatformOptions {
  readonly db: Database
  readonly supervisor: SupervisorClient
  readonly engine: Engine
  readonly work: WorkRunner
  readonly failpoint: Failpoint
}

/** The control plane, put together. Nothing here waits for anything but the database. */
export async function composePlatform(options: PlatformOptions): Promise<Platform> {
  const core = openCore(options)
  try {
    await migrate(core.db, core.installation.migrations, core.logger)
    const files = createKeyFiles(join(core.settings.home, 'keys'))
    const ring = await openKeyRing({ db: core.db, clock: systemClock, files, randomBytes })
    const rooms = composeRooms(core, ring)
    await rooms.access.ensureOwner(options.ownerToken)
    await rooms.access.idempotencyKeys.dropUnfinished()
    const keys = composeKeyRotations(core, files, ring)
    const http = await createHttp(core, rooms, keys)
    registerWork(core, rooms, keys)
    return createPlatform(core, rooms, http)
  } catch (error) {
    core.supervisor.close()
    await core.db.close()
    throw isDatabaseUnavailable(error) ? unavailable(error) : error
  }
}

/** Says where it looked, without what is secret of it. */
function unavailable(error: unknown): UserError {
  const message = `The database cannot be reached: ${messageOf(error)}. Look at DATABASE_URL, or at log/postgres.log below GANTRY_HOME.`
  return new UserError('database_unavailable', message, { cause: error })
}

function openCore(options: PlatformOptions): Core {
  const { settings, logger } = options
  const db = openDatabase({ url: settings.databaseUrl, clock: systemClock, logger })
  const supervisor = createSupervisorClient({ path: join(settings.home, 'run', 'supervisor.sock'), clock: systemClock })
  const engine = createLocalEngine({ client: supervisor, clock: systemClock })
  const work = createWorkRunner({ db, clock: systemClock, logger, seat: `control plane of ${settings.home}` })
  const file = options.environment.GANTRY_FAILPOINTS_FILE
  const failpoint = createFailpoints({ file, end: () => process.kill(process.pid, 'SIGKILL') })
  return { ...options, db, supervisor, engine, work, failpoint }
}

function composeKeyRotations({ db, work, logger, failpoint }: Core, files: KeyFiles, ring: KeyRing): KeyRotations {
  return createKeyRotations({
    db,
    clock: systemClock,
    newId: createIds(Date.now, randomBytes),
    work,
    log: logger,
    ring,
    files,
    randomBytes,
    failpoint,
    batchSize: defaultBatchSize,
  })
}

async function createHttp(core: Core, rooms: Rooms, keys: KeyRotations): Promise<HttpServer> {
  const { db, settings, installation, logger, engine, supervisor } = core
  const { version, referenceScript } = installation
  const platform = platformRoutes({
    version,
    engine,
    keys,
    domain: settings.domain,
    httpPort: settings.httpPort,
    startedAt: systemClock.now(),
    checks: [
      databaseCheck(db, systemClock),
      diskCheck(settings.home, statfs),
      supervisorCheck((signal) => supervisor.call('status', {}, signal)),
      routersCheck(db),
      masterKeyCheck(keys.facts),
    ],
  })
  return await createHttpServer({
    access: rooms.access,
    endpoints: [...rooms.routes, ...platform],
    clock: systemClock,
    logger,
    newRequestId: randomUUID,
    newNonce: () => randomBytes(16).toString('base64'),
    version,
    port: settings.apiPort,
    isUnavailable: isDatabaseUnavailable,
    checkHealth: () => pingDatabase(db),
    gitRequest: rooms.source.gitRequest,
    referenceScript,
    requestsPerMinute: settings.requestsPerMinute,
  })
}

/** How many handlers of a kind run at once. A deploy waits for its build, so there are many. */
const concurrency = {
  deploy: 256,
  environment: 256,
  delete_app: 4,
  delete_environment: 4,
  retention: 2,
  rotate_key: 1,
} as const

function registerWork({ work }: Core, { apps, builds, running, delivery }: Rooms, keys: KeyRotations): void {
  work.handle('deploy', delivery.handleDeploy, concurrency.deploy)
  work.handle('environment', running.handleEnvironment, concurrency.environment)
  work.handle('delete_app', apps.takeDownApp, concurrency.delete_app)
  work.handle('delete_environment', apps.takeDownEnvironment, concurrency.delete_environment)
  work.handle('retention', builds.handleRetention, concurrency.retention)
  work.handle('rotate_key', keys.handleRotation, concurrency.rotate_key)
}

function createPlatform(core: Core, rooms: Rooms, http: HttpServer): Platform {
  const stopping = new AbortController()
  const loops: Promise<void>[] = []
  let routers: { close(): Promise<void> } | undefined
  return {
    async start(targets) {
      await rooms.apps.makeMissingRepositories()
      await rooms.source.reconcileRefs()
      routers = await serveRouters(core, rooms)
      const ports = await http.listen(targets)
      loops.push(untilStopped(core, 'running', rooms.running.run(stopping.signal), stopping.signal))
      loops.push(untilStopped(core, 'work', core.work.run(stopping.signal), stopping.signal))
      return ports
    },
    async stop() {
      stopping.abort(new Error('the control plane stops'))
      await http.close()
      await Promise.all(loops)
      await rooms.logs.flush()
      await routers?.close()
      rooms.source.close()
      core.supervisor.close()
      await core.db.close()
    },
  }
}

/** The routers' group may connect when they run as another user. */
async function serveRouters({ settings, environment }: Core, { routing }: Rooms) {
  const group = environment.GANTRY_RUN_GROUPS?.split(',')[0]
  const access = group ? { gid: Number(group) } : {}
  return await routing.serve(join(settings.home, 'run', 'routing.sock'), access)
}

/** A loop ends when it is told to. One that ends by itself is a fault, and the next process begins anew. */
async function untilStopped({ logger }: Core, name: string, loop: Promise<void>, signal: AbortSignal): Promise<void> {
  try {
    await loop
    if (!signal.aborted) throw new Error(`the loop ${name} has ended by itself`)
  } catch (error) {
    if (!signal.aborted) throw error
    logger.debug({ loop: name, error: messageOf(error) }, 'a loop has stopped')
  }
}
