import type { ChildProcess } from 'node:child_process'
import { setTimeout as wait } from 'node:timers/promises'
import { getPlatform } from '@gantry/api'
import { flag, type Input } from '../../command.ts'
import { type Context, withLocalPlatform } from '../../context.ts'
import { CommandError, type ExitCode, exitCodes } from '../../exit-codes.ts'
import { askSupervisor, type PlatformStatus } from '../../lifecycle.ts'
import { took } from '../../output/words.ts'
import { deploySample } from '../../sample.ts'
import { childEnded, followStart, type Ready, startSupervisor } from '../../start-supervisor.ts'

/** Starts the supervisor, shows its steps, deploys the sample the first time, and stays until Ctrl-C. */
export async function run(context: Context, input: Input): Promise<ExitCode> {
  const detach = flag(input, 'detach')
  const supervisor = await startSupervisor(context, detach)
  const ready = await followStart(context, supervisor)
  const local = withLocalPlatform(context, ready.api_url)
  if (input.options.sample !== false) await deploySample(local)
  if (context.isJson) context.terminal.json(ready)
  else if (!context.signal.aborted) sayWhere(context, ready, { detach, isolation: await isolationOf(local) })
  if (detach) {
    letGo(supervisor)
    return exitCodes.ok
  }
  return await stayUntilStopped(context, supervisor, ready)
}

/** This process may end while the supervisor goes on. */
function letGo(supervisor: ChildProcess): void {
  supervisor.unref()
  const pipe = supervisor.stdio[3]
  if (pipe && 'destroy' in pipe) pipe.destroy()
}

/** How far apps are kept apart on this machine; nothing where the platform does not say so now. */
async function isolationOf(context: Context): Promise<string | undefined> {
  const platform = await (await context.client()).call(getPlatform).catch(() => undefined)
  return platform && `level ${platform.isolation_level} of 4 between apps   (what that means: gantry doctor)`
}

interface Shown {
  readonly detach: boolean
  readonly isolation: string | undefined
}

function sayWhere({ terminal, home, env }: Context, ready: Ready, { detach, isolation }: Shown): void {
  const bold = (text: string) => terminal.style('bold', text)
  const domain = env.GANTRY_DOMAIN || 'localhost'
  const lines = [
    '',
    `${bold(`Gantry ${ready.version}`)} is ready after ${took(ready.ms)}.`,
    '',
    `  API        ${ready.api_url}   (reference: ${ready.api_url}/docs)`,
    `  Apps       http://<app>.${domain}:${ready.http_port}`,
    `  Home       ${home}`,
    ...(isolation === undefined ? [] : [`  Isolation  ${isolation}`]),
    '',
    'In a folder with your code and a git repository:',
    `  ${bold('gantry apps create shop')}   then   ${bold('git push gantry main')}`,
    `Look around: ${bold('gantry apps list')}, ${bold('gantry logs -f --app hello')}, ${bold('gantry help')}`,
    '',
    detach ? 'It runs in the background. Stop it with: gantry down' : 'Ctrl-C stops everything, apps included.',
  ]
  for (const line of lines) terminal.say(line)
}

/** Waits for the end of the platform, whoever ends it; Ctrl-C ends it. After an upgrade it is another process than ours. */
async function stayUntilStopped(context: Context, supervisor: ChildProcess, ready: Ready): Promise<ExitCode> {
  const done = new AbortController()
  const isOurs = supervisor.pid === ready.pid
  const ended = isOurs ? childEnded(supervisor) : supervisorGone(context, ready.pid, done.signal)
  const first = await Promise.race([ended, aborted(context.signal)])
  done.abort()
  if (first === 'aborted') return await stopEverything(context, supervisor)
  const now = await askSupervisor<PlatformStatus>(context.home, 'status').catch(() => undefined)
  if (now)
    context.terminal.say(
      `Process ${now.pid} took the platform over; it is not this terminal's any more. Stop it with: gantry down`,
    )
  else if (first !== 0) throw new CommandError(exitCodes.failed, 'The supervisor ended.', `See ${context.home}/log.`)
  return exitCodes.ok
}

async function stopEverything(context: Context, supervisor: ChildProcess): Promise<ExitCode> {
  context.terminal.say('Stopping everything … (Ctrl-C again: at once)')
  const hurry = () => void askSupervisor(context.home, 'down').catch(() => undefined)
  context.again.addEventListener('abort', hurry, { once: true })
  await askSupervisor(context.home, 'down')
  letGo(supervisor)
  context.terminal.say('Stopped. The data stays.')
  return exitCodes.ok
}

function aborted(signal: AbortSignal): Promise<'aborted'> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve('aborted')
    signal.addEventListener('abort', () => resolve('aborted'), { once: true })
  })
}

/** Resolves when another process than `pid` has the platform, or none. One that is only slow to answer still has it. */
async function supervisorGone({ home }: Context, pid: number, signal: AbortSignal): Promise<number> {
  while (!signal.aborted) {
    const status = await askSupervisor<PlatformStatus>(home, 'status').catch(() => 'silent' as const)
    if (status !== 'silent' && status?.pid !== pid) break
    await wait(500, undefined, { signal }).catch(() => undefined)
  }
  return 0
}
