import { join } from 'node:path'
import { messageOf, UserError } from '../../kernel/errors.ts'
import { logPath } from '../programs/platform-programs.ts'
import { Program } from '../programs/program.ts'
import { openLog } from '../programs/program-log.ts'
import type { SupervisorContext } from '../supervisor-deps.ts'
import { installBinaries, removeOtherBinaries } from './binaries.ts'
import { openDataFolder } from './data-folder.ts'
import { openPassword } from './password.ts'
import { adoptServer, lastLines, type ServerPlan, startServer } from './server.ts'

/** The platform's database: the embedded server, or one that DATABASE_URL names, which is somebody else's to run. */
export interface PlatformDatabase {
  readonly url: string
  /** The embedded server; undefined with DATABASE_URL. */
  readonly program: Program | undefined
  /** Has the server accepting connections: made, adopted or started. Throws `UserError`s. */
  bringUp(): Promise<void>
}

export async function openPlatformDatabase(context: SupervisorContext): Promise<PlatformDatabase> {
  const { settings, home, users, randomBytes } = context
  if (settings.databaseUrl) return { url: settings.databaseUrl, program: undefined, bringUp: async () => undefined }
  const password = await openPassword(join(home.path, 'keys/database-password'), users?.controlPlane, randomBytes)
  const socketFolder = join(home.path, 'run/postgres')
  const url = `postgres://gantry:${password}@/gantry?host=${encodeURIComponent(socketFolder)}`
  const server = createServer(context, password, socketFolder)
  return { url, ...server }
}

function createServer(context: SupervisorContext, password: string, socketFolder: string) {
  const { home, clock, log, spawn, users, randomBytes } = context
  const path = logPath(home.path, 'postgres')
  let plan: ServerPlan | undefined
  const planned = (): ServerPlan => {
    if (plan === undefined) throw new Error('the database was not opened')
    return plan
  }
  const program = new Program({
    name: 'postgres',
    start: () => startServer(planned()),
    cleanUp: () => undefined,
    overlap: false,
    readyTimeoutMs: 60_000,
    drainMs: 30_000,
    clock,
    log,
  })
  const open = async (): Promise<ServerPlan> => {
    const databaseFolder = join(home.path, 'db')
    const superuserPassword = await openPassword(
      join(home.path, 'state/database-superuser-password'),
      undefined,
      randomBytes,
    )
    const binaries = await installBinaries(databaseFolder, spawn)
    const uid = users?.postgres
    const dataFolder = await openDataFolder({ databaseFolder, binaries, superuserPassword, password, uid, spawn })
    return { binaries, dataFolder, socketFolder, uid, openLog: () => openLog(path), spawn, clock }
  }
  const bringUp = async () => {
    plan = await open()
    const running = await adoptServer(plan)
    if (running && (await running.report)) return program.adopt(running)
    try {
      await program.start()
    } catch (error) {
      const said = `${messageOf(error)}. Its last lines, from ${path}:\n${lastLines(path, 10)}`
      throw new UserError('database_unavailable', `PostgreSQL did not start: ${said}`, { cause: error })
    }
    removeOtherBinaries(join(home.path, 'db'), plan.binaries)
  }
  return { program, bringUp }
}
