import { randomBytes, randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Access, type BoundEndpoint, createAccess, type KeyRing, systemScope } from './access/index.ts'
import { type Apps, type AppsDeps, createApps } from './apps/index.ts'
import { builders } from './builders/registry.ts'
import {
  type Builds,
  createBuilds,
  createPublishedVersions,
  defaultBuildLimits,
  defaultRetention,
  type FolderOwner,
  readMachineSettings,
} from './builds/index.ts'
import { createGit } from './clients/git/index.ts'
import type { Core } from './compose.ts'
import { createDelivery, type Delivery, defaultDeliveryLimits } from './delivery/index.ts'
import { systemClock } from './kernel/clock.ts'
import { UserError } from './kernel/errors.ts'
import { createIds } from './kernel/ids.ts'
import { spawnArgv } from './kernel/spawn-argv.ts'
import {
  buildStream,
  createLogs,
  deployStream,
  environmentStream,
  type LogAppender,
  type Logs,
  logRoutes,
} from './logs/index.ts'
import { artifactUses, releaseRoutes } from './releases/index.ts'
import { createRouting, isRouterGone, type Routing } from './routing/index.ts'
import {
  createEnvironments,
  createProbe,
  createRunning,
  defaultPolicy,
  instanceRoutes,
  isPortFree,
  type Running,
} from './running/index.ts'
import { createSource, defaultSourceLimits, findSource, type Source } from './source/index.ts'

export interface Rooms {
  readonly access: Access
  readonly logs: Logs
  readonly apps: Apps
  readonly builds: Builds
  readonly routing: Routing
  readonly running: Running
  readonly source: Source
  readonly delivery: Delivery
  readonly routes: readonly BoundEndpoint[]
}

/**
 * The rooms that stand later and are told something by earlier ones. Filled before anything is served; nobody calls one
 * while it is being made.
 */
interface Later {
  builds?: Builds
  routing?: Routing
  source?: Source
  running?: Running
  delivery?: Delivery
}

interface Composition extends Core {
  readonly newId: ReturnType<typeof createIds>
  readonly secrets: KeyRing
  readonly later: Later
}

export function composeRooms(core: Core, secrets: KeyRing): Rooms {
  const all: Composition = { ...core, secrets, newId: createIds(Date.now, randomBytes), later: {} }
  const { db, logger, later, newId } = all
  const access = createAccess({ db, clock: systemClock, newId, randomBytes, logger })
  const logs = composeLogs(all)
  const apps = composeApps(all, logs)
  const builds = composeBuilds(all, logs)
  const routing = composeRouting(all)
  const running = composeRunning(all, { apps, builds, routing, logs })
  const source = composeSource(all, access)
  Object.assign(later, { builds, routing, running, source } satisfies Later)
  const delivery = composeDelivery(all, { apps, builds, routing, logs })
  later.delivery = delivery
  const routes = [
    ...access.routes,
    ...apps.routes,
    ...builds.routes,
    ...releaseRoutes(db),
    ...logRoutes(db, logs),
    ...instanceRoutes(db),
    ...source.routes,
    ...delivery.routes,
  ]
  return { access, logs, apps, builds, routing, running, source, delivery, routes }
}

function there<T>(room: T | undefined): T {
  if (room === undefined) throw new Error('a room was asked before all were made')
  return room
}

/** The supervisor is the one writer of output. */
function composeLogs({ settings, supervisor, logger }: Composition): Logs {
  const appender: LogAppender = {
    async append(stream, source, lines, maxStreamBytes) {
      const cap = stream.startsWith('app/') ? settings.maxLogBytes : maxStreamBytes
      await supervisor.call('append', { stream, source, lines, maxStreamBytes: cap })
    },
    removeStream: async (stream) => void (await supervisor.call('removeStream', { stream })),
  }
  return createLogs({ folder: join(settings.home, 'logs'), appender, clock: systemClock, log: logger })
}

function composeApps(all: Composition, logs: Logs): Apps {
  const { db, work, settings, newId, secrets, later } = all
  const remains: AppsDeps['remains'] = {
    async removeEnvironment({ id, appId, buildIds, deployIds }) {
      await logs.remove(environmentStream(appId, id))
      for (const buildId of buildIds) await logs.remove(buildStream(appId, buildId))
      for (const deployId of deployIds) await logs.remove(deployStream(appId, deployId))
    },
    async removeApp(app, { repository }) {
      for (const kind of ['app', 'build', 'deploy']) await logs.remove(`${kind}/${app.id}`)
      await there(later.builds).removeApp(systemScope(app.teamId), app.id)
      if (repository) await there(later.source).deleteRepository(app.repositoryId)
    },
  }
  return createApps({
    db,
    clock: systemClock,
    newId,
    work,
    secrets,
    repositories: { create: (id) => there(later.source).createRepository(id) },
    configChanged: { configChanged: (tx, scope, change) => there(later.delivery).configChanged(tx, scope, change) },
    environmentDeleted: {
      environmentDeleted: (tx, scope, environment) => there(later.delivery).environmentDeleted(tx, scope, environment),
    },
    remains,
    routes: {
      acknowledged: (environmentId, signal) => there(later.routing).environmentAcknowledged(environmentId, signal),
    },
    site: { domain: settings.domain, httpPort: settings.httpPort },
  })
}

function composeBuilds(all: Composition, logs: Logs): Builds {
  const { db, engine, work, settings, logger, newId, supervisor, installation, environment, failpoint, later } = all
  const own = installation.toolchainOf(settings.home)
  const node = {
    version: own.nodeVersion,
    npmVersion: own.npmVersion,
    binFolder: own.binFolder,
    npmBinFolder: own.npmBinFolder,
  }
  const machine = readMachineSettings(environment, installation.npmrcs)
  const folders: FolderOwner = {
    give: async (path, { uid, gid }) => void (await supervisor.call('give', { path, uid, gid })),
    seal: async (path, gid) => void (await supervisor.call('seal', { path, gid })),
    remove: async (path) => void (await supervisor.call('remove', { path })),
  }
  const folder = join(settings.home, 'state', 'published-versions')
  return createBuilds({
    db,
    engine,
    source: {
      treeId: (repository, commit, root) => there(later.source).treeId(repository, commit, root),
      tree: (repository, commit, root) => there(later.source).tree(repository, commit, root),
      exportTree: (repository, treeId, target) => there(later.source).exportTree(repository, treeId, target),
    },
    folders,
    output: logs,
    builders,
    work,
    clock: systemClock,
    newId,
    log: logger,
    home: settings.home,
    platform: `${process.platform}-${process.arch}`,
    node,
    machine,
    publishedVersions: createPublishedVersions({ spawn: spawnArgv, clock: systemClock, node, machine, folder }),
    uses: (scope, appId) => artifactUses(db, scope, appId),
    failpoint,
    limits: defaultBuildLimits,
    retention: { ...defaultRetention, releases: settings.keepReleases, failedBuilds: settings.keepFailedBuilds },
  })
}

function composeRouting({ db, logger }: Composition): Routing {
  const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  return createRouting({ db, clock: systemClock, logger, bootId, newEpoch: () => randomUUID(), isGone: isRouterGone })
}

interface EarlierRooms {
  readonly apps: Apps
  readonly builds: Builds
  readonly routing: Routing
  readonly logs: Logs
}

const probeTimeoutMs = 5000

function composeRunning(all: Composition, { apps, builds, routing, logs }: EarlierRooms): Running {
  const { db, engine, work, settings, logger, newId, failpoint, later } = all
  return createRunning({
    db,
    engine,
    environments: createEnvironments({ db, apps, builds, domain: settings.domain }),
    routing,
    rollouts: { rolloutChanged: (tx, environmentId) => there(later.delivery).rolloutChanged(tx, environmentId) },
    work,
    logs,
    clock: systemClock,
    newId,
    random: Math.random,
    probe: createProbe(probeTimeoutMs),
    isPortFree,
    failpoint,
    policy: { ...defaultPolicy, bootLimitMs: settings.bootLimitMs },
    log: logger,
    maxLogBytes: settings.maxLogBytes,
  })
}

const maxPackBytes = 1024 * 1024 * 1024

function composeSource(all: Composition, access: Access): Source {
  const { db, settings, logger, newId, environment, failpoint, later } = all
  return createSource({
    db,
    clock: systemClock,
    newId,
    log: logger,
    git: createGit({ spawn: spawnArgv, searchPath: environment.PATH ?? '/usr/bin:/bin', maxPackBytes }),
    authenticate: access.authenticate,
    audit: access.audit,
    listener: {
      accepted: (tx, push) => there(later.delivery).pushListener.accepted(tx, push),
      follow: (ids, signal) => there(later.delivery).pushListener.follow(ids, signal),
    },
    failpoint,
    folder: join(settings.home, 'repositories'),
    limits: defaultSourceLimits,
  })
}

function composeDelivery(all: Composition, { apps, builds, routing, logs }: EarlierRooms): Delivery {
  const { db, engine, work, settings, logger, newId, failpoint, later } = all
  const source = there(later.source)
  return createDelivery({
    db,
    clock: systemClock,
    newId,
    work,
    log: logger,
    apps,
    builds,
    sources: {
      find: findSource,
      async hasCommit(repositoryId, commitSha) {
        try {
          await source.treeId(repositoryId, commitSha, '')
          return true
        } catch (error) {
          if (error instanceof UserError && error.code === 'commit_not_found') return false
          throw error
        }
      },
    },
    engine,
    logs,
    rollouts: {
      wake: (environmentId) => there(later.running).wake(environmentId),
      acknowledged: (environmentId, signal) => routing.environmentAcknowledged(environmentId, signal),
    },
    failpoint,
    site: { domain: settings.domain, httpPort: settings.httpPort },
    limits: { ...defaultDeliveryLimits, builds: settings.maxBuilds },
  })
}
