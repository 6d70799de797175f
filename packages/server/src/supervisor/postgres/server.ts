import { closeSync, readFileSync, readlinkSync, realpathSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../../kernel/clock.ts'
import { isSystemError } from '../../kernel/errors.ts'
import type { SpawnArgv } from '../../kernel/spawn-argv.ts'
import type { ProgramReport } from '../../kernel/supervised-program.ts'
import { isAlive, processTable } from '../instances/processes.ts'
import type { ProgramProcess } from '../programs/program-process.ts'
import type { PostgresBinaries } from './binaries.ts'
import { clearStaleServer, clusterName, commandLine, findPostmaster } from './postmaster.ts'
import { formatSettings, smallServer } from './settings.ts'

export interface ServerPlan {
  readonly binaries: PostgresBinaries
  readonly dataFolder: string
  readonly socketFolder: string
  readonly uid: number | undefined
  readonly openLog: () => number
  readonly spawn: SpawnArgv
  readonly clock: Clock
}

/** Starts the server as a process that outlives this supervisor. SIGTERM means a fast shutdown: open transactions are rolled back. */
export async function startServer(plan: ServerPlan): Promise<ProgramProcess> {
  const { binaries, dataFolder, uid, clock } = plan
  await clearStaleServer(dataFolder, plan.socketFolder, clock)
  // beside the data folder, not in it: what is in there its user can make a link to anywhere
  writeFileSync(join(dataFolder, '../gantry.conf'), formatSettings(smallServer), { mode: 0o644 })
  const log = plan.openLog()
  const child = plan.spawn(join(binaries.folder, 'bin/postgres'), serverArgs(plan), {
    env: { LC_ALL: 'C.UTF-8', PATH: '/usr/bin:/bin', TZ: 'UTC' },
    cwd: binaries.folder,
    detached: true,
    stdio: ['ignore', log, log],
    ...(uid === undefined ? {} : { uid, gid: uid }),
  })
  closeSync(log)
  let over = false
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(`could not be started: ${error.message}`))
    child.once('exit', (code, signal) => resolve(signal ? `was ended by ${signal}` : `ended with status ${code}`))
  })
  void ended.then(() => {
    over = true
  })
  const pid = child.pid ?? 0
  return {
    pid,
    startedAt: clock.now(),
    report: waitUntilAccepting(dataFolder, pid, clock, () => over),
    ended,
    signal: (signal) => void child.kill(shutdownSignal(signal)),
  }
}

function serverArgs({ dataFolder, socketFolder }: ServerPlan): string[] {
  const fixed = {
    listen_addresses: '',
    unix_socket_directories: `"${socketFolder.replaceAll('"', '""')}"`, // a list: quoted, a comma is part of the name
    unix_socket_permissions: '0777', // the folder keeps others out
    port: '5432',
    cluster_name: clusterName(dataFolder),
  }
  return ['-D', dataFolder, ...Object.entries(fixed).flatMap(([name, value]) => ['-c', `${name}=${value}`])]
}

/** The server's own word for a fast shutdown is SIGINT; at SIGTERM it waits for its clients. */
function shutdownSignal(signal: NodeJS.Signals): NodeJS.Signals {
  return signal === 'SIGTERM' ? 'SIGINT' : signal
}

async function waitUntilAccepting(
  dataFolder: string,
  pid: number,
  clock: Clock,
  over: () => boolean,
): Promise<ProgramReport | undefined> {
  while (!over()) {
    const found = findPostmaster(dataFolder)
    if (found?.pid === pid && found.ready) return { ready: true }
    await clock.wait(5)
  }
  return undefined
}

/**
 * The server that an earlier supervisor left running, if it runs these binaries; undefined otherwise. One of other
 * binaries is shut down first.
 */
export async function adoptServer({ dataFolder, clock, binaries }: ServerPlan): Promise<ProgramProcess | undefined> {
  const running = findServer(dataFolder, clock)
  if (running === undefined || runs(running.pid, binaries)) return running
  running.signal('SIGTERM')
  await running.ended
  return undefined
}

/** The server of a data folder, whoever started it; undefined when none runs. */
export function findServer(dataFolder: string, clock: Clock): ProgramProcess | undefined {
  const found = findPostmaster(dataFolder)
  if (found === undefined) return undefined
  const { pid, startTicks } = found
  const alive = () => isAlive(pid, startTicks, processTable)
  const waitForEnd = async () => {
    while (alive()) await clock.wait(20)
    return 'ended, unseen'
  }
  return {
    pid,
    startedAt: clock.now(),
    report: waitUntilAccepting(dataFolder, pid, clock, () => !alive()),
    ended: waitForEnd(),
    signal(name) {
      if (alive()) signalQuietly(pid, shutdownSignal(name))
    },
  }
}

function runs(pid: number, binaries: PostgresBinaries): boolean {
  const file = join(binaries.folder, 'bin/postgres')
  try {
    return readlinkSync(`/proc/${pid}/exe`) === realpathSync(file)
  } catch {
    return commandLine(pid)[0] === file // without CAP_SYS_PTRACE
  }
}

function signalQuietly(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if (!isSystemError(error, 'ESRCH')) throw error
  }
}

/** The last lines that the server wrote, for a message about why it did not start. */
export function lastLines(logPath: string, count: number): string {
  try {
    return readFileSync(logPath, 'utf8').trimEnd().split('\n').slice(-count).join('\n')
  } catch {
    return ''
  }
}
