import { randomBytes } from 'node:crypto'
import { markEnvironmentDeleted, raiseGeneration, updateDesiredRelease } from '../../src/apps/environment-store.ts'
import { findEnvironment } from '../../src/apps/index.ts'
import { findArtifact, insertArtifact } from '../../src/builds/artifact-store.ts'
import type { Database } from '../../src/db/database.ts'
import type { Address } from '../../src/engines/engine.ts'
import { createFakeEngine, type FakeEngine } from '../../src/engines/fake/fake-engine.ts'
import { systemClock } from '../../src/kernel/clock.ts'
import type { ConfigId, EnvironmentId, InstanceId, ReleaseId } from '../../src/kernel/ids.ts'
import { silentLogger } from '../../src/kernel/logger.ts'
import { createRelease } from '../../src/releases/index.ts'
import type { RouteContent } from '../../src/routing/index.ts'
import {
  createEnvironments,
  createRunning,
  defaultPolicy,
  type RolloutPolicy,
  type Running,
  type RunningDeps,
} from '../../src/running/index.ts'
import { createWorkRunner } from '../../src/work/work-runner.ts'
import { newId } from './access.ts'
import { createDeliveryWorld, type DeliveryWorld, until } from './delivery.ts'
import { createHandClock, type HandClock } from './hand-clock.ts'

export type Types = Record<string, { command?: string; overlap?: boolean }>

export interface RunningLevers {
  /** Instances that answer every check with an error. */
  readonly ill: Set<string>
  /** Only these are well, whatever starts. */
  wellOnly: ReadonlySet<string> | undefined
  /** Ports on which something that is not ours listens. */
  readonly strangers: Set<number>
  /** A stranger also answers the checks. */
  strangersAnswer: boolean
  /** Requests open to an instance; absent: none. */
  readonly openRequests: Map<string, number>
  acknowledges: boolean
  failpoint: RunningDeps['failpoint']
  random: () => number
}

export interface InstanceFacts {
  readonly id: InstanceId
  readonly release_id: ReleaseId
  readonly process_type: string
  readonly slot: number
  readonly status: string
  readonly address: Address | null
  readonly crashes: number
  readonly generation: number
  readonly failed_checks: number
  readonly end_reason: string | null
  readonly created_at: Date
  readonly healthy_at: Date | null
  readonly ended_at: Date | null
}

/** The running loop over a real database and apps' rows; engine, routers, checks and logs are fakes at their ports. */
export interface RunningWorld {
  readonly db: Database
  readonly delivery: DeliveryWorld
  readonly engine: FakeEngine
  readonly clock: HandClock
  readonly levers: RunningLevers
  readonly policy: RolloutPolicy
  /** Every route that was committed, the newest last; `null`: removed. */
  readonly routes: (RouteContent | null)[]
  /** Environments whose rollout was reported to have changed. */
  readonly told: EnvironmentId[]
  app(name: string): Promise<EnvironmentId>
  /** A new release, without wanting it. */
  make(environmentId: EnvironmentId, types?: Types, configId?: ConfigId): Promise<ReleaseId>
  /** Wants a release, or nothing. */
  desire(environmentId: EnvironmentId, releaseId: ReleaseId | undefined): Promise<void>
  /** Both. */
  release(environmentId: EnvironmentId, types?: Types, configId?: ConfigId): Promise<ReleaseId>
  scale(environmentId: EnvironmentId, patch: Record<string, number>): Promise<void>
  restart(environmentId: EnvironmentId): Promise<void>
  /** Deletes it, and its rows when nothing of it runs any more. */
  remove(environmentId: EnvironmentId): Promise<void>
  instances(environmentId: EnvironmentId, ...statuses: string[]): Promise<InstanceFacts[]>
  /** Waits until exactly these releases run, healthy, and nothing else is left but ended rows. */
  settles(environmentId: EnvironmentId, releases: readonly ReleaseId[]): Promise<InstanceFacts[]>
  live(environmentId: EnvironmentId): Promise<ReleaseId | undefined>
  rolloutError(environmentId: EnvironmentId): Promise<{ code: string; message: string } | undefined>
  route(environmentId: EnvironmentId): RouteContent | null | undefined
  targets(environmentId: EnvironmentId): readonly string[]
  /** Lets time pass for everybody. */
  move(ms: number): Promise<void>
  start(options?: { seat?: string }): RunningProcess
  close(): Promise<void>
}

export interface RunningProcess {
  readonly running: Running
  stop(): Promise<void>
}

export async function createRunningWorld(options: { policy?: Partial<RolloutPolicy> } = {}): Promise<RunningWorld> {
  const delivery = await createDeliveryWorld()
  const { db, scope, apps } = delivery
  const clock = createHandClock()
  const engine = createFakeEngine(clock)
  const levers: RunningLevers = {
    ill: new Set(),
    wellOnly: undefined,
    strangers: new Set(),
    strangersAnswer: false,
    openRequests: new Map(),
    acknowledges: true,
    failpoint: () => undefined,
    random: Math.random,
  }
  const policy = { ...defaultPolicy, ...options.policy }
  const byEnvironment = new Map<string, RouteContent | null>()
  const routes: (RouteContent | null)[] = []
  const told: EnvironmentId[] = []
  const processes = new Set<RunningProcess>()
  let revision = 0
  let seats = 0
  const environmentOf = (id: EnvironmentId) => findEnvironment(db, scope, id)
  const enqueuer = createWorkRunner({ db, clock: systemClock, logger: silentLogger, seat: 'enqueuer' })

  const write = async (
    tx: Parameters<RunningDeps['routing']['setRoute']>[0],
    id: string,
    content: RouteContent | null,
  ) => {
    await tx.query('select pg_advisory_xact_lock(1)') // as the real one: a route's writers wait for each other
    const mine = ++revision
    tx.afterCommit(() => {
      byEnvironment.set(id, content)
      routes.push(content)
    })
    return mine
  }

  const probe: RunningDeps['probe'] = async (address, _host, signal) => {
    signal.throwIfAborted()
    if (address.kind !== 'tcp') throw new Error(`what address is ${JSON.stringify(address)}?`)
    if (levers.strangersAnswer && levers.strangers.has(address.port)) return { kind: 'healthy', reached: address }
    for (const observed of await engine.observe('all', signal)) {
      const listeners = await engine.listeners(observed.id, signal)
      if (!listeners.some((listener) => listener.port === address.port)) continue
      if (levers.ill.has(observed.id) || levers.wellOnly?.has(observed.id) === false)
        return { kind: 'unhealthy', message: 'GET / answered 500' }
      return { kind: 'healthy', reached: address }
    }
    return { kind: 'refused' }
  }

  const deps = (): RunningDeps => ({
    db,
    engine,
    environments: createEnvironments({ db, apps, builds: { artifact: findArtifact }, domain: 'localhost' }),
    routing: {
      setRoute: (tx, id, content) => write(tx, id, content),
      removeRoute: (tx, id) => write(tx, id, null),
      async acknowledged(_revision, signal) {
        while (!levers.acknowledges) await systemClock.wait(5, signal)
      },
      openRequests: (id) => levers.openRequests.get(id) ?? 0,
    },
    rollouts: { rolloutChanged: async (_tx, id) => void told.push(id) },
    work: enqueuer,
    logs: delivery.logs,
    clock,
    newId,
    random: () => levers.random(),
    probe,
    isPortFree: async (port) => !levers.strangers.has(port),
    policy,
    log: silentLogger,
    maxLogBytes: 1_000_000,
    failpoint: (name) => levers.failpoint(name),
  })

  const world: RunningWorld = {
    db,
    delivery,
    engine,
    clock,
    levers,
    policy,
    routes,
    told,
    app: async (name) => (await delivery.createApp(name)).environmentId,
    async make(environmentId, types = { web: {} }, configId) {
      const environment = await environmentOf(environmentId)
      const processTypes = Object.fromEntries(
        Object.entries(types).map(([name, type]) => [name, { command: 'node server.js', overlap: true, ...type }]),
      )
      const artifactId = newId('artifact')
      await insertArtifact(db, scope, {
        id: artifactId,
        appId: environment.appId,
        kind: 'slug',
        digest: `sha256:${randomBytes(32).toString('hex')}`,
        location: `/nowhere/${artifactId}`,
        layers: {},
        processTypes,
        runEnv: {},
        sizeBytes: 1,
        createdAt: new Date(),
      })
      const prototype = { environment, artifactId, processTypes, reason: 'deploy', createdBy: 'owner' } as const
      const made = await db.transaction((tx) =>
        createRelease({ newId, clock }, tx, scope, { ...prototype, ...(configId && { configId }) }),
      )
      return made.id
    },
    async desire(environmentId, releaseId) {
      await db.transaction(async (tx) => {
        await updateDesiredRelease(tx, scope, environmentId, { releaseId, at: clock.now() })
        await enqueuer.enqueue(tx, 'environment', environmentId)
      })
    },
    async release(environmentId, types, configId) {
      const id = await world.make(environmentId, types, configId)
      await world.desire(environmentId, id)
      return id
    },
    async scale(environmentId, patch) {
      await db.query('update environments set scale = scale || $2 where id = $1', [environmentId, patch])
      await enqueuer.enqueue(db, 'environment', environmentId)
    },
    async restart(environmentId) {
      await raiseGeneration(db, scope, environmentId, clock.now())
      await enqueuer.enqueue(db, 'environment', environmentId)
    },
    async remove(environmentId) {
      await db.transaction(async (tx) => {
        await markEnvironmentDeleted(tx, scope, environmentId, clock.now())
        await enqueuer.enqueue(tx, 'environment', environmentId)
        await enqueuer.enqueue(tx, 'delete_environment', environmentId)
      })
    },
    async instances(environmentId, ...statuses) {
      return await db.query<InstanceFacts>(
        `select * from instances where environment_id = $1 and (cardinality($2::text[]) = 0 or status = any($2))
         order by created_at, id`,
        [environmentId, statuses],
      )
    },
    async settles(environmentId, releases) {
      let rows: InstanceFacts[] = []
      await until(`environment runs ${releases.join(', ')}`, async () => {
        rows = (await world.instances(environmentId)).filter((row) => row.status !== 'ended')
        const isSo =
          rows.every((row) => row.status === 'healthy') &&
          rows
            .map((row) => row.release_id)
            .sort()
            .join() === [...releases].sort().join()
        return isSo && (await db.query('select 1 from work where subject = $1', [environmentId])).length === 0
      })
      return rows
    },
    live: async (environmentId) => (await environmentOf(environmentId)).liveReleaseId,
    rolloutError: async (environmentId) => (await environmentOf(environmentId)).rolloutError,
    route: (environmentId) => byEnvironment.get(environmentId),
    targets: (environmentId) => byEnvironment.get(environmentId)?.targets.map((target) => target.instanceId) ?? [],
    async move(ms) {
      clock.move(ms)
      await db.query(
        `with moved as (update work set run_at = run_at - $1 * interval '1 millisecond'
           where lease_until is null returning 1) select pg_notify('work', '') from moved`,
        [ms],
      )
    },
    start({ seat = `seat ${seats++}` } = {}) {
      const running = createRunning(deps())
      const stopped = new AbortController()
      const runner = createWorkRunner({ db, clock: systemClock, logger: silentLogger, seat, pollMs: 100 })
      runner.handle('environment', running.handleEnvironment, 128)
      runner.handle('delete_app', apps.takeDownApp, 4)
      runner.handle('delete_environment', apps.takeDownEnvironment, 4)
      const ended = Promise.all([runner.run(stopped.signal), running.run(stopped.signal)])
      const process: RunningProcess = {
        running,
        async stop() {
          processes.delete(process)
          stopped.abort(new Error('the test stops'))
          await ended
        },
      }
      processes.add(process)
      return process
    },
    async close() {
      await Promise.all([...processes].map((process) => process.stop()))
      await delivery.close()
    },
  }
  return world
}
