import { messageOf } from '../kernel/errors.ts'
import type { Logger } from '../kernel/logger.ts'
import { runArgv, type SpawnArgv } from '../kernel/spawn-argv.ts'

export interface NotifyDeps {
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly spawn: SpawnArgv
  readonly log: Logger
}

/** sd_notify(3), by the program that systemd brings for it: ready, and that this process is the main one. */
export async function notifySystemd({ environment, spawn, log }: NotifyDeps): Promise<void> {
  const socket = environment.NOTIFY_SOCKET
  if (!socket) return
  const args = ['--ready', `--pid=${process.pid}`, '--status=Gantry serves']
  try {
    const env = { NOTIFY_SOCKET: socket, PATH: '/usr/bin:/bin' }
    const { exitCode, stderr } = await runArgv(spawn, 'systemd-notify', args, { env })
    if (exitCode !== 0) log.warn({ exitCode, stderr }, 'systemd was not told')
  } catch (error) {
    log.warn({ cause: messageOf(error) }, 'systemd was not told')
  }
}
