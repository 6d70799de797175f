import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { HeldSocket } from '../../kernel/listening-handles.ts'
import { lendingPath } from '../../kernel/supervised-program.ts'
import type { PublicSockets } from '../listening-socket.ts'
import type { SupervisorContext } from '../supervisor-deps.ts'
import { Program } from './program.ts'
import { inheritedEnvironment, programVariables } from './program-environment.ts'
import { openLog } from './program-log.ts'
import { startProgram } from './program-process.ts'

export interface ProgramPlan {
  readonly sockets: PublicSockets
  readonly databaseUrl: string
  readonly ownerToken: string
}

const drainMs = 35_000
const controlPlaneGraceMs = 10_000

export function logPath(home: string, name: 'supervisor' | 'server' | 'router' | 'postgres'): string {
  return join(home, 'log', `${name}.log`)
}

/** The router hands over: the new one accepts before the old one, which drains for up to 30 s, stops. */
export function createRouter(context: SupervisorContext, { sockets }: Pick<ProgramPlan, 'sockets'>): Program {
  const options = { overlap: true, readyTimeoutMs: 20_000, drainMs }
  return supervised(context, 'router', { ...options, sockets: sockets.http, variables: {} })
}

/** While one control plane goes and the next comes, connections queue. */
export function createControlPlane(context: SupervisorContext, plan: ProgramPlan): Program {
  const { sockets, databaseUrl, ownerToken } = plan
  const options = { overlap: false, readyTimeoutMs: 120_000, drainMs: controlPlaneGraceMs }
  const variables = {
    DATABASE_URL: databaseUrl,
    GANTRY_OWNER_TOKEN: ownerToken,
    GANTRY_API_PORT: String(sockets.api[0]?.address.port),
    GANTRY_HTTP_PORT: String(sockets.http[0]?.address.port),
  }
  return supervised(context, 'control-plane', { ...options, sockets: sockets.api, variables })
}

interface Supervised {
  readonly overlap: boolean
  readonly readyTimeoutMs: number
  readonly drainMs: number
  readonly sockets: readonly HeldSocket[]
  readonly variables: Readonly<Record<string, string>>
}

function supervised(context: SupervisorContext, name: 'control-plane' | 'router', given: Supervised): Program {
  const { home, users, identity, clock, log, spawn, environment } = context
  const { sockets, variables, ...options } = given
  const compileCache = environment.NODE_COMPILE_CACHE || join(home.path, 'cache/node')
  const place = { name, homeKey: home.key, home: home.path, build: identity.build, users }
  const start = async () =>
    startProgram(
      {
        ...context.commandOf(name),
        env: {
          ...inheritedEnvironment(environment),
          NODE_COMPILE_CACHE: compileCache,
          ...variables,
          ...programVariables(place),
        },
        folder: '/',
        sockets: sockets.map((socket) => socket.fd),
        openLog: () => openLog(logPath(home.path, name === 'router' ? 'router' : 'server')),
      },
      { spawn, clock },
    )
  const cleanUp = (pid: number) => rmSync(lendingPath(join(home.path, 'run'), name, pid), { force: true })
  return new Program({ ...options, name, start, cleanUp, clock, log })
}
