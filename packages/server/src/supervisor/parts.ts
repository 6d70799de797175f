import { join } from 'node:path'
import { type HeldSocket, holdSocket } from '../kernel/listening-handles.ts'
import { type ControlSocket, createControlSocket } from './control-socket.ts'
import { timed } from './events.ts'
import { openOwnerToken } from './home/owner-token.ts'
import { installToolchains } from './home/toolchains.ts'
import { createInstanceVerbs, type InstanceVerbs } from './instance-verbs.ts'
import type { LifecycleHandlers } from './lifecycle/verbs.ts'
import { openPublicSockets, type PublicSockets } from './listening-socket.ts'
import { openPlatformDatabase, type PlatformDatabase } from './postgres/database.ts'
import { askSurvivors, type BringUp, bringUp } from './programs/bring-up.ts'
import { findSurvivors } from './programs/find-survivors.ts'
import { createControlPlane, createRouter } from './programs/platform-programs.ts'
import type { Program } from './programs/program.ts'
import type { SupervisorContext } from './supervisor-deps.ts'

/** What the supervisor keeps running, from the first one that exists to the last. */
export interface Parts {
  readonly sockets: PublicSockets
  readonly database: PlatformDatabase
  readonly router: Program
  readonly controlPlane: Program
  readonly instances: InstanceVerbs
  /** Whether anything ran already when this supervisor came. */
  readonly found: boolean
}

/** Parts that exist and serve nobody yet, and what brings them up. */
export interface Opened {
  readonly parts: Parts
  bringUp(): Promise<ControlSocket>
}

/** Finds what an earlier supervisor left, takes the public sockets, and makes the parts. Starts nothing. */
export async function openParts(context: SupervisorContext, handlers: () => LifecycleHandlers): Promise<Opened> {
  const { home, settings, clock, log, spawn, users, environment } = context
  const survivors = await askSurvivors(findSurvivors(context), home.path)
  const lent = survivors.flatMap((survivor) => survivor.sockets)
  const sockets = openPublicSockets(settings, [...inheritedSockets(context), ...lent])
  const database = await openPlatformDatabase(context)
  const ownerToken = await openOwnerToken(home.path, context.randomBytes)
  const router = createRouter(context, { sockets })
  const controlPlane = createControlPlane(context, { sockets, databaseUrl: database.url, ownerToken })
  const controlPlaneUser = users && { uid: users.controlPlane, gid: users.controlPlane }
  const instances = await createInstanceVerbs({
    home: home.path,
    controlPlane: controlPlaneUser,
    clock,
    log,
    start: spawn,
  })
  const found = survivors.length > 0 || instances.instances.observe(undefined).some(({ state }) => state !== 'ended')
  const parts = { sockets, database, router, controlPlane, instances, found }
  const replace = environment.GANTRY_SUCCESSOR !== undefined
  const plan = { parts, survivors, build: context.identity.build, replace, handlers, clock }
  return { parts, bringUp: () => bringUpAll(context, plan) }
}

interface Plan extends Omit<BringUp, 'sockets'> {
  readonly parts: Parts
  readonly handlers: () => LifecycleHandlers
}

/**
 * The control plane after the database; the router beside them, since it serves when the control plane has answered it.
 * When one fails, those that start beside it are waited for.
 */
async function bringUpAll(context: SupervisorContext, plan: Plan): Promise<ControlSocket> {
  const { tell, clock } = context
  const { parts } = plan
  const control = await timed(tell, clock, 'instances', () => openControl(context, plan))
  const sockets = parts.sockets.http
  const router = timed(tell, clock, 'router', () => bringUp(parts.router, { ...plan, sockets }))
  const rest = bringUpRest(context, plan).catch(async (error: unknown) => {
    if (!parts.found) await parts.router.stop(0) // it would wait for the control plane
    throw error
  })
  try {
    await allOrFirstFailure([rest, router])
    return control
  } catch (error) {
    await control.close()
    throw error
  }
}

async function bringUpRest({ tell, clock, home, spawn }: SupervisorContext, plan: Plan): Promise<void> {
  const { parts } = plan
  await timed(tell, clock, 'postgres', () => parts.database.bringUp())
  const sockets = parts.sockets.api
  await allOrFirstFailure([
    timed(tell, clock, 'control_plane', () => bringUp(parts.controlPlane, { ...plan, sockets })),
    // not before: making a database waits for the disk, which 150 MB of copies keep busy
    timed(tell, clock, 'toolchains', () => installToolchains(home.path, process.execPath, spawn)),
  ])
}

function openControl({ home, users, log }: SupervisorContext, { parts, handlers }: Plan): Promise<ControlSocket> {
  const { instances } = parts
  return createControlSocket({
    path: join(home.path, 'run/supervisor.sock'),
    owner: users && { uid: users.controlPlane, gid: users.controlPlane },
    handlers: { ...instances.handlers, ...handlers() },
    onChange: (listener) => instances.instances.onChange(listener),
    log,
  })
}

async function allOrFirstFailure(all: readonly Promise<unknown>[]): Promise<void> {
  await Promise.allSettled(all)
  await Promise.all(all)
}

/** Those of the supervisor that this one succeeds. */
function inheritedSockets({ environment }: SupervisorContext): HeldSocket[] {
  const list = environment.GANTRY_SUCCESSOR === undefined ? '' : (environment.GANTRY_LISTEN_FDS ?? '')
  return list
    .split(',')
    .filter(Boolean)
    .map((fd) => holdSocket(Number(fd)))
}
