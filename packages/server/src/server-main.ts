import { composePlatform, type Platform } from './compose.ts'
import { readSettings } from './config/settings.ts'
import { type Installation, readInstallation } from './installation.ts'
import { messageOf, UserError } from './kernel/errors.ts'
import type { Logger } from './kernel/logger.ts'
import { createPinoLogger } from './kernel/pino-logger.ts'
import { joinSupervisor, type SupervisedProgram } from './kernel/supervised-program.ts'

/**
 * `main.ts server`, the control plane: API, git and the two loops. It may die at any time: what matters is in the
 * database and in files. Returns when it has stopped after SIGTERM.
 */
export async function runServer(): Promise<void> {
  const terminated = new Promise<void>((resolve) => process.once('SIGTERM', resolve).once('SIGINT', resolve))
  const installation = await readInstallation()
  const program = joinSupervisor(process.env)
  if (!program) throw new Error('the control plane is started by `gantry up`, which gives it its listening sockets')
  const logger = createPinoLogger({ level: 'info' })
  exitOnFaults(logger)
  try {
    const platform = await start(program, installation)
    program.ready()
    await terminated
    program.draining()
    await platform.stop()
  } catch (error) {
    logger.error({ err: error }, 'the control plane could not start')
    program.failed(error)
    process.exitCode = 1
  }
  await installation.referenceScript.close()
  process.exit() // whatever is left is not worth waiting for: the supervisor does
}

async function start(program: SupervisedProgram, installation: Installation): Promise<Platform> {
  const settings = readSettings(process.env, process.getuid?.() === 0)
  const ownerToken = process.env.GANTRY_OWNER_TOKEN
  if (!ownerToken)
    throw new UserError('setting_invalid', 'GANTRY_OWNER_TOKEN is missing: start Gantry with `gantry up`.')
  const logger = createPinoLogger({ level: settings.logLevel })
  const platform = await composePlatform({ settings, installation, ownerToken, logger, environment: process.env })
  await platform.start(program.sockets.map(({ fd }) => ({ fd })))
  logger.info({ version: installation.version, port: settings.apiPort }, 'the control plane serves')
  return platform
}

/** A fault that nobody caught leaves this process in a state that nobody knows: the next one begins from the rows. */
function exitOnFaults(logger: Logger): void {
  const onFault = (error: unknown) => {
    logger.error({ err: error, error: messageOf(error) }, 'a fault: this control plane ends and another one starts')
    process.exit(70)
  }
  process.on('uncaughtException', onFault)
  process.on('unhandledRejection', onFault)
}
