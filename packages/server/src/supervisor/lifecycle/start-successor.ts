import { messageOf } from '../../kernel/errors.ts'
import type { HeldSocket } from '../../kernel/listening-handles.ts'
import { endProcesses, waitUntilReady } from '../programs/end-and-ready.ts'
import { logPath } from '../programs/platform-programs.ts'
import { inheritedEnvironment } from '../programs/program-environment.ts'
import { openLog } from '../programs/program-log.ts'
import { startProgram } from '../programs/program-process.ts'
import { Refusal } from '../protocol.ts'
import type { Environment, SupervisorContext } from '../supervisor-deps.ts'

export interface SuccessorCommand {
  readonly file: string
  readonly args: readonly string[]
  readonly cwd: string
  readonly env: Environment
}

const loadTimeoutMs = 20_000

/**
 * Starts the supervisor that takes over from this one, with the public sockets, and waits until it is loaded and only
 * waits for the lock. Throws `Refusal` when it does not come so far; nothing has changed then.
 */
export async function startSuccessor(
  context: SupervisorContext,
  command: SuccessorCommand,
  sockets: readonly HeldSocket[],
): Promise<number> {
  const { environment, spawn, clock, home, log } = context
  const env = {
    ...inheritedEnvironment(command.env),
    ...(environment.NOTIFY_SOCKET && { NOTIFY_SOCKET: environment.NOTIFY_SOCKET }),
    GANTRY_HOME: context.settings.home,
    GANTRY_SUCCESSOR: '1',
  }
  const successor = startProgram(
    {
      file: command.file,
      args: command.args,
      env,
      folder: command.cwd,
      sockets: sockets.map((socket) => socket.fd),
      openLog: () => openLog(logPath(home.path, 'supervisor')),
    },
    { spawn, clock },
  )
  log.info({ pid: successor.pid, file: command.file, args: command.args }, 'a successor is starting')
  try {
    await waitUntilReady(successor, { name: 'the new supervisor', clock, readyTimeoutMs: loadTimeoutMs })
  } catch (error) {
    await endProcesses([successor], 0, clock)
    throw new Refusal('SpecRejected', messageOf(error))
  }
  return successor.pid
}
