import type { PlatformUsers } from '../users.ts'
import { programMark } from './find-programs.ts'

/** Variables that belong to one process and that a child must not take for its own. */
const ownVariables = new Set([
  'GANTRY_EVENTS_FD',
  'GANTRY_INSTANCE_ID',
  'GANTRY_LISTEN_FDS',
  'GANTRY_OWNER_TOKEN',
  'GANTRY_READY_FD',
  'GANTRY_RUN_AS',
  'GANTRY_RUN_GROUPS',
  'GANTRY_STOP_ONLY',
  'GANTRY_SUCCESSOR',
  'INVOCATION_ID',
  'LISTEN_FDS',
  'LISTEN_PID',
  'MAINPID',
  'NOTIFY_SOCKET',
  'WATCHDOG_PID',
  'WATCHDOG_USEC',
])

/** The supervisor's environment without what is its own. */
export function inheritedEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).flatMap(([name, value]) =>
      value === undefined || ownVariables.has(name) ? [] : [[name, value]],
    ),
  )
}

export interface ProgramPlace {
  readonly name: 'control-plane' | 'router'
  readonly homeKey: string
  readonly home: string
  readonly build: string
  readonly users: PlatformUsers | undefined
}

/** What every program is told by kernel/supervised-program.ts. */
export function programVariables({ name, homeKey, home, build, users }: ProgramPlace): Record<string, string> {
  return {
    GANTRY_HOME: home,
    GANTRY_RUN: `${home}/run`,
    GANTRY_INSTANCE_ID: programMark(name, homeKey),
    GANTRY_PROGRAM_BUILD: build,
    ...(users && name === 'router' && { GANTRY_RUN_AS: String(users.router) }),
    ...(users && name === 'control-plane' && controlPlaneUser(users)),
  }
}

/** In the router's group too: it makes the socket that the router connects to. */
function controlPlaneUser(users: PlatformUsers): Record<string, string> {
  return { GANTRY_RUN_AS: String(users.controlPlane), GANTRY_RUN_GROUPS: String(users.router) }
}
