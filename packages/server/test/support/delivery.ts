import { randomBytes } from 'node:crypto'
import { systemScope, type TeamScope } from '../../src/access/index.ts'
import type { AppRow } from '../../src/apps/app.ts'
import type { AppsDeps } from '../../src/apps/apps-deps.ts'
import {
  type Apps,
  createApps,
  type EnvironmentRemains,
  environmentByName,
  markLive,
  markRolloutFailed,
  selectEnvironmentToRun,
} from '../../src/apps/index.ts'
import type { Database } from '../../src/db/database.ts'
import { createDelivery, type Delivery, type DeliveryDeps, defaultDeliveryLimits } from '../../src/delivery/index.ts'
import type { TaskSpec } from '../../src/engines/engine.ts'
import { fakeCommand } from '../../src/engines/fake/fake-behaviour.ts'
import { createFakeEngine, type FakeEngine } from '../../src/engines/fake/fake-engine.ts'
import { systemClock } from '../../src/kernel/clock.ts'
import type { DeployId, EnvironmentId, ReleaseId } from '../../src/kernel/ids.ts'
import { silentLogger } from '../../src/kernel/logger.ts'
import type { WorkHandler, WorkRunner } from '../../src/work/work.ts'
import { createWorkRunner } from '../../src/work/work-runner.ts'
import { createTestAccess, newId, type TestAccess, testSecrets } from './access.ts'
import { createTestDatabase, type TestDatabase } from './database.ts'
import { createFakeBuilds } from './fake-builds.ts'
import { createMemoryLogs, type MemoryLogs } from './memory-logs.ts'

/** What goes wrong, or takes time, from now on. */
export interface Levers {
  build: 'succeeds' | 'fails' | 'hangs' | 'breaks'
  /** Process types of what is built. */
  processTypes: Record<string, { command: string; overlap: boolean }>
  rollout: 'succeeds' | 'fails' | 'hangs'
  releasePhase: { exit: { code: number; afterMs: number } } | Record<string, never>
  acknowledges: boolean
  /** Called at every failpoint: throws where a crash is wanted. */
  failpoint: (name: string) => void
}

/** Apps, releases and delivery over a real database; builds, running loop, engine and logs are fakes at their ports. */
export interface DeliveryWorld {
  readonly db: Database
  readonly database: TestDatabase
  readonly access: TestAccess
  readonly scope: TeamScope
  readonly apps: Apps
  readonly delivery: Delivery
  readonly engine: FakeEngine
  readonly levers: Levers
  readonly logs: MemoryLogs
  /** Builds that run right now. */
  readonly building: ReadonlySet<string>
  /** The most builds that ever ran at once. */
  readonly mostAtOnce: () => number
  readonly removed: string[]
  createApp(name: string): Promise<{ app: AppRow; environmentId: EnvironmentId }>
  /** Begins a deploy of a made-up commit. */
  push(environmentId: EnvironmentId): Promise<DeployId>
  setConfig(environmentId: EnvironmentId, variables: Record<string, string | null>): Promise<DeployId | undefined>
  environment(id: EnvironmentId): Promise<{ desired: ReleaseId | null; live: ReleaseId | null; config: string | null }>
  /** Waits until the deploy has one of these statuses, or any final one. */
  reaches(id: DeployId, ...statuses: string[]): Promise<string>
  /** Starts working on what is due, as a control plane does; `stop` it. */
  start(): Running
  close(): Promise<void>
}

export interface Running {
  readonly runner: WorkRunner
  stop(): Promise<void>
}

export interface WorldOptions {
  readonly limits?: Partial<typeof defaultDeliveryLimits>
}

export async function createDeliveryWorld(options: WorldOptions = {}): Promise<DeliveryWorld> {
  const database = await createTestDatabase()
  const access = await createTestAccess(database.db)
  return assembleWorld(database, access, options)
}

/** The same over what is there already; nothing is asked of the database. */
export function assembleWorld(database: TestDatabase, access: TestAccess, options: WorldOptions = {}): DeliveryWorld {
  const { db } = database
  const scope = systemScope(access.owner.teamId)
  const levers: Levers = {
    build: 'succeeds',
    processTypes: { web: { command: 'node server.js', overlap: true } },
    rollout: 'succeeds',
    releasePhase: {},
    acknowledges: true,
    failpoint: () => undefined,
  }
  const engine = createFakeEngine(systemClock)
  const logs = createMemoryLogs()
  const removed: string[] = []
  const work = createWorkRunner({ db, clock: systemClock, logger: silentLogger, seat: 'enqueuer' })
  const builds = createFakeBuilds(db, levers)
  const late: { delivery?: Delivery } = {}
  const apps = createApps(appsDeps())
  const deps: DeliveryDeps = {
    db,
    clock: systemClock,
    newId,
    work,
    log: silentLogger,
    apps,
    builds,
    sources: { find: async () => undefined, hasCommit: async () => true },
    engine: {
      ...bindEngine(engine),
      // a release phase behaves as the lever says
      startTask: (spec: TaskSpec, fence, signal) =>
        engine.startTask({ ...spec, command: fakeCommand(levers.releasePhase) }, fence, signal),
    },
    logs,
    rollouts: {
      wake: () => undefined,
      async acknowledged(_id, signal) {
        while (!levers.acknowledges) await systemClock.wait(5, signal)
      },
    },
    failpoint: (name) => levers.failpoint(name),
    site: { domain: 'localhost', httpPort: 8080 },
    limits: { ...defaultDeliveryLimits, ...options.limits },
  }
  const delivery = createDelivery(deps)
  late.delivery = delivery

  function appsDeps(): AppsDeps {
    return {
      db,
      clock: systemClock,
      newId,
      work,
      secrets: testSecrets,
      repositories: { create: async (id) => void removed.push(`made ${id}`) },
      configChanged: { configChanged: (tx, own, change) => told().configChanged(tx, own, change) },
      environmentDeleted: { environmentDeleted: (tx, own, row) => told().environmentDeleted(tx, own, row) },
      remains: {
        removeEnvironment: async (remains: EnvironmentRemains) => void removed.push(remains.id),
        removeApp: async (app, { repository }) => void removed.push(app.id, ...(repository ? [app.repositoryId] : [])),
      },
      routes: { acknowledged: async (id) => void removed.push(`unrouted ${id}`) },
      site: { domain: 'localhost', httpPort: 8080 },
    }
  }
  function told(): Delivery {
    if (!late.delivery) throw new Error('not wired yet')
    return late.delivery
  }
  const running = fakeRunning(db, levers, delivery)
  let seats = 0
  return {
    db,
    database,
    access,
    scope,
    apps,
    delivery,
    engine,
    levers,
    logs,
    building: builds.building,
    mostAtOnce: builds.mostAtOnce,
    removed,
    async createApp(name) {
      const app = await apps.create(scope, { name })
      const environment = await environmentByName(db, scope, app.id, 'production')
      if (!environment) throw new Error('an app has an environment production')
      return { app, environmentId: environment.id }
    },
    async push(environmentId) {
      const commitSha = randomBytes(20).toString('hex')
      const request = { kind: 'push', environmentId, commitSha, createdBy: 'owner' } as const
      return (await db.transaction((tx) => delivery.createDeploy(tx, scope, request))).id
    },
    async setConfig(environmentId, variables) {
      const request = {
        environmentId,
        kind: 'run',
        patch: variables,
        createdBy: 'owner',
        check: () => undefined,
      } as const
      return (await db.transaction((tx) => apps.setConfig(tx, scope, request))).deployId
    },
    async environment(id) {
      const [row] = await db.query<{ desired: ReleaseId | null; live: ReleaseId | null; config: string | null }>(
        `select desired_release_id as desired, live_release_id as live, config_id as config from environments where id = $1`,
        [id],
      )
      if (!row) throw new Error(`no environment ${id}`)
      return row
    },
    reaches: (id, ...statuses) => reaches(db, id, statuses),
    start() {
      const stopped = new AbortController()
      const seat = `test ${seats++}`
      const runner = createWorkRunner({ db, clock: systemClock, logger: silentLogger, seat, pollMs: 50 })
      runner.handle('deploy', delivery.handleDeploy, 16)
      runner.handle('environment', running, 16)
      runner.handle('delete_app', apps.takeDownApp, 4)
      runner.handle('delete_environment', apps.takeDownEnvironment, 4)
      const ended = runner.run(stopped.signal)
      return {
        runner,
        async stop() {
          stopped.abort(new Error('the test stops'))
          await ended
        },
      }
    },
    close: () => database.close(),
  }
}

const finals = ['live', 'failed', 'cancelled', 'superseded', 'rolled_back']

async function reaches(db: Database, id: DeployId, statuses: readonly string[]): Promise<string> {
  const wanted = statuses.length > 0 ? statuses : finals
  const deadline = Date.now() + 20_000
  for (;;) {
    const [row] = await db.query<{ status: string; error_message: string | null }>(
      'select status, error_message from deploys where id = $1',
      [id],
    )
    if (row && wanted.includes(row.status)) return row.status
    const isStuck = row && finals.includes(row.status)
    if (isStuck || Date.now() > deadline) {
      throw new Error(`deploy ${id} is ${row?.status} (${row?.error_message}) and not ${wanted.join(' or ')}`)
    }
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

/** Waits until something holds. */
export async function until(what: string, holds: () => Promise<boolean> | boolean): Promise<void> {
  const deadline = Date.now() + 20_000
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`waited in vain: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

function bindEngine(engine: FakeEngine): Pick<FakeEngine, 'waitForTask' | 'stop' | 'forget'> {
  return {
    waitForTask: (id, signal) => engine.waitForTask(id, signal),
    stop: (id, options, fence, signal) => engine.stop(id, options, fence, signal),
    forget: (id, fence, signal) => engine.forget(id, fence, signal),
  }
}

/** A running loop without instances: what is desired is live, or fails, as the lever says. */
function fakeRunning(db: Database, levers: Levers, delivery: Delivery): WorkHandler {
  return async (item) => {
    const id = item.subject as EnvironmentId
    const row = await selectEnvironmentToRun(db, id)
    if (!row) return { kind: 'done' }
    const { desiredReleaseId: desired } = row
    if (!desired || desired === row.liveReleaseId || desired === row.failedReleaseId) return { kind: 'done' }
    if (levers.rollout === 'hangs') return { kind: 'again', afterMs: 20 }
    await db.transaction(async (tx) => {
      if (levers.rollout === 'succeeds') await markLive(tx, id, desired)
      else
        await markRolloutFailed(tx, id, {
          releaseId: desired,
          code: 'health_check_timeout',
          message: 'web.1 is unwell.',
        })
      await delivery.rolloutChanged(tx, id)
    })
    return { kind: 'done' }
  }
}
