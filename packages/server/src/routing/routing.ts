import type { Database, Transaction } from '../db/database.ts'
import type { Clock } from '../kernel/clock.ts'
import type { Logger } from '../kernel/logger.ts'
import type { RouterMetrics, TableUpdate } from '../router/protocol.ts'
import { type Bell, createBell } from './bell.ts'
import { createLiveRouters, type LiveRouters } from './live-routers.ts'
import { isWellFormed, planRead, type RouteContent, type RouteRow, toUpdate } from './route.ts'
import {
  readEpoch,
  readRevision,
  readRevisionOf,
  readRoutes,
  readRoutesAfter,
  replaceEpoch,
  writeRoute,
} from './route-store.ts'
import { createRouterReports } from './router-reports.ts'
import { deleteRouter, deleteSilentRouters, readRouters, renewLease } from './router-store.ts'
import { type RouterCalls, type RoutingServer, type SocketAccess, serveRouters } from './serve-routers.ts'

export interface RoutingDeps {
  readonly db: Database
  readonly clock: Clock
  readonly logger: Logger
  /** `/proc/sys/kernel/random/boot_id` of this machine. */
  readonly bootId: string
  /** Makes a name for a new history of the table: a random UUID. */
  readonly newEpoch: () => string
  /** Proof that a router's process has ended (`isRouterGone`); false when unknown. */
  readonly isGone: (routerId: string) => boolean
}

/** The control plane's side of the routing table. Every revision is a commit; routers fetch, save, apply, acknowledge. */
export interface Routing {
  /**
   * Sets an environment's route within the caller's transaction and returns its revision. Call it late in the
   * transaction: other routes wait for its end.
   */
  setRoute(tx: Transaction, environmentId: string, content: RouteContent): Promise<number>
  removeRoute(tx: Transaction, environmentId: string): Promise<number>
  /**
   * Resolves when no router sends a new request by a table older than this revision: each has acknowledged it or one
   * above, its lease has ended, or its process is gone. At once when there is no router. Rejects with the signal's reason.
   */
  acknowledged(revision: number, signal: AbortSignal): Promise<void>
  /** The same for an environment's route as it stands now. */
  environmentAcknowledged(environmentId: string, signal: AbortSignal): Promise<void>
  /**
   * Requests and upgraded connections that are open to an instance, from the routers' last reports; undefined when one
   * has not reported yet. A report precedes each acknowledgement, so that after `acknowledged` no open request is missing.
   */
  openRequests(instanceId: string): number | undefined
  /** All routers together; counters include those of routers that have left. `routerId` is `all`. */
  metrics(): RouterMetrics
  /** Answers routers on a Unix socket until closed; replaces a socket file that is in the way. */
  serve(socketPath: string, access?: SocketAccess): Promise<RoutingServer>
}

const waitForUpdateMs = 20_000
/** Hints may be lost; this is how often the truth is asked. */
const lookAgainMs = 1000
/** A router looks for a new control plane every 250 ms. */
const graceMs = 3000

interface Room extends RoutingDeps {
  readonly changed: Bell
  readonly answered: Bell
  readonly live: LiveRouters
}

export function createRouting(deps: RoutingDeps): Routing {
  const reports = createRouterReports()
  const changed = createBell(deps.clock)
  const answered = createBell(deps.clock)
  const live = createLiveRouters({ ...deps, reports, graceMs })
  const room: Room = { ...deps, changed, answered, live }
  const write = async (tx: Transaction, environmentId: string, content: RouteContent | null) => {
    tx.afterCommit(() => changed.ring())
    return await writeRoute(tx, environmentId, { content, bootId: deps.bootId })
  }
  return {
    setRoute: (tx, environmentId, content) => write(tx, environmentId, content),
    removeRoute: (tx, environmentId) => write(tx, environmentId, null),
    acknowledged: (revision, signal) => waitForAcknowledgements(room, revision, signal),
    async environmentAcknowledged(environmentId, signal) {
      await waitForAcknowledgements(room, await readRevisionOf(deps.db, environmentId), signal)
    },
    openRequests: (instanceId) => live.openRequests(instanceId),
    metrics: () => reports.merged(),
    serve: (socketPath, access) => serve(room, socketPath, access),
  }
}

async function serve(room: Room, socketPath: string, access?: SocketAccess): Promise<RoutingServer> {
  await deleteSilentRouters(room.db)
  for (const row of await readRouters(room.db)) {
    if (room.live.isAlive(row.id, row.isLeased)) room.live.heard(row.id)
  }
  const stopListening = await room.db.listen('routing', () => room.changed.ring())
  const stopped = new AbortController()
  const server = await serveRouters({ calls: createCalls(room), logger: room.logger }, socketPath, access)
  const sweeping = sweepUntil(room, stopped.signal)
  return {
    async close() {
      stopped.abort()
      await server.close()
      await stopListening()
      await sweeping
    },
  }
}

function createCalls(room: Room): RouterCalls {
  return {
    async fetch(routerId, asked, signal) {
      room.live.heard(routerId)
      const epoch = await readEpoch(room.db, room.newEpoch)
      await renewLease(room.db, routerId, asked.epoch === epoch ? asked.after : 0)
      room.answered.ring()
      return await nextUpdate(room, asked, signal)
    },
    async acknowledge({ routerId, epoch, revision }) {
      room.live.heard(routerId)
      if (epoch !== (await readEpoch(room.db, room.newEpoch))) return
      await renewLease(room.db, routerId, revision)
      room.answered.ring()
    },
    report: (metrics) => room.live.reported(metrics),
    async leave(routerId) {
      room.live.left(routerId)
      await deleteRouter(room.db, routerId)
      room.answered.ring()
    },
  }
}

async function nextUpdate(
  room: Room,
  asked: { epoch: string; after: number },
  signal: AbortSignal,
): Promise<TableUpdate | undefined> {
  const deadline = room.clock.monotonicMs() + waitForUpdateMs
  while (true) {
    const seen = room.changed.count
    const update = await readUpdate(room, asked)
    if (update) return update
    const left = deadline - room.clock.monotonicMs()
    if (left <= 0) return undefined
    await room.changed.after(seen, Math.min(left, lookAgainMs), signal)
  }
}

async function readUpdate(room: Room, asked: { epoch: string; after: number }): Promise<TableUpdate | undefined> {
  const { db, bootId } = room
  const epoch = await readEpoch(db, room.newEpoch)
  const position = { epoch, bootId, revision: await readRevision(db) }
  const plan = planRead(position, asked)
  switch (plan.kind) {
    case 'nothing':
      return undefined
    case 'delta':
      return toUpdate(position, told(room, await readRoutesAfter(db, plan.after)), false)
    case 'full':
      return toUpdate(position, told(room, await readRoutes(db)), true)
    case 'history_lost':
      room.logger.warn(
        { asked, position },
        'a router knows a newer routing table: the history was lost, a new one begins',
      )
      await replaceEpoch(db, epoch, room.newEpoch())
      return await readUpdate(room, asked)
  }
}

function told({ logger }: Room, rows: readonly RouteRow[]): readonly RouteRow[] {
  for (const { environmentId, content } of rows) {
    if (content && !isWellFormed(content))
      logger.error({ environment: environmentId }, 'a stored route is none: left out')
  }
  return rows
}

async function waitForAcknowledgements(room: Room, revision: number, signal: AbortSignal): Promise<void> {
  while (true) {
    signal.throwIfAborted()
    const seen = room.answered.count
    const routers = await readRouters(room.db)
    const behind = routers.filter(
      (row) => row.acknowledgedRevision < revision && room.live.isAlive(row.id, row.isLeased),
    )
    if (behind.length === 0) return
    await room.answered.after(seen, lookAgainMs / 4, signal)
  }
}

async function sweepUntil(room: Room, stopped: AbortSignal): Promise<void> {
  while (!stopped.aborted) {
    await room.clock.wait(lookAgainMs, stopped).catch(() => undefined)
    for (const id of room.live.sweep()) {
      await deleteRouter(room.db, id).catch((error) =>
        room.logger.warn({ error, id }, 'a gone router stays in the table'),
      )
    }
  }
}
