import type { ChildProcess } from 'node:child_process'
import { mkdir, open } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { flag, type Input } from '../../command.ts'
import type { Context } from '../../context.ts'
import { CommandError, type ExitCode, exitCodes } from '../../exit-codes.ts'
import { askSupervisor, type PlatformStatus } from '../../lifecycle.ts'
import { took } from '../../output/words.ts'
import { deploySample, isFirstStart } from '../../sample.ts'
import { serverCommand } from '../../server-program.ts'

interface Ready {
  readonly pid: number
  readonly version: string
  readonly api_url: string
  readonly http_port: number
  readonly ms: number
}

type StartEvent =
  | { readonly event: 'step'; readonly step: string; readonly ms: number }
  | { readonly event: 'upgrading'; readonly from: string; readonly to: string; readonly pid: number }
  | ({ readonly event: 'ready' } & Ready)
  | { readonly event: 'failed'; readonly code: string; readonly message: string }

const stepNames: Readonly<Record<string, string>> = {
  postgres: 'PostgreSQL',
  control_plane: 'control plane',
  router: 'router',
  instances: 'instances',
  toolchains: 'toolchains',
}

/** Starts the supervisor, shows its steps, deploys the sample the first time, and stays until Ctrl-C. */
export async function run(context: Context, input: Input): Promise<ExitCode> {
  const detach = flag(input, 'detach')
  const supervisor = await startSupervisor(context, detach)
  const stop = () => void supervisor.kill('SIGTERM')
  context.signal.addEventListener('abort', stop, { once: true })
  const ready = await followStart(context, supervisor)
  context.signal.removeEventListener('abort', stop)
  if (input.options.sample !== false && !context.signal.aborted && (await isFirstStart(context))) {
    await deploySample(context, ready.http_port)
  }
  if (context.isJson) context.terminal.json(ready)
  else sayWhere(context, ready, detach)
  if (detach) {
    supervisor.unref()
    return exitCodes.ok
  }
  return await stayUntilStopped(context, supervisor, ready)
}

async function startSupervisor(context: Context, detach: boolean): Promise<ChildProcess> {
  const { file, args } = serverCommand()
  const logFolder = join(context.home, 'log')
  if (detach) await mkdir(logFolder, { recursive: true })
  const log = detach ? await open(join(logFolder, 'up.log'), 'a') : undefined
  const output = log?.fd ?? 'inherit'
  // In a process group of its own: Ctrl-C reaches it by us, once, and a closed terminal does not end it.
  const child = context.spawnArgv(file, [...args, 'supervisor'], {
    detached: true,
    stdio: ['ignore', output, output, 'pipe'],
    env: { ...context.env, GANTRY_HOME: context.home, GANTRY_EVENTS_FD: '3' },
  })
  await log?.close()
  return child
}

async function followStart(context: Context, supervisor: ChildProcess): Promise<Ready> {
  const { terminal } = context
  const pipe = supervisor.stdio[3]
  if (!pipe || !('readable' in pipe)) throw new Error('the supervisor has no event pipe')
  const failed = new Promise<never>((_, reject) => supervisor.once('error', reject))
  terminal.status('Starting …')
  const read = async () => {
    for await (const line of createInterface({ input: pipe as NodeJS.ReadableStream })) {
      const event = JSON.parse(line) as StartEvent
      if (event.event === 'step') {
        terminal.say(`  ${terminal.style('green', '✓')} ${stepNames[event.step] ?? event.step} (${took(event.ms)})`)
        terminal.status('Starting …')
      } else if (event.event === 'upgrading') {
        terminal.say(`Upgrading the running platform from ${event.from} to ${event.to}; apps keep serving.`)
      } else if (event.event === 'failed') throw new CommandError(exitCodes.failed, event.message)
      else return event
    }
    throw new CommandError(
      exitCodes.failed,
      'The supervisor ended before it was ready.',
      `See ${join(context.home, 'log')}.`,
    )
  }
  const ready = await Promise.race([read(), failed])
  terminal.status('')
  if ('unref' in pipe && typeof pipe.unref === 'function') pipe.unref()
  return ready
}

function sayWhere(context: Context, ready: Ready, detach: boolean): void {
  const { terminal } = context
  const bold = (text: string) => terminal.style('bold', text)
  terminal.say('')
  terminal.say(`${bold(`Gantry ${ready.version}`)} is ready after ${took(ready.ms)}.`)
  terminal.say('')
  terminal.say(`  API        ${ready.api_url}   (reference: ${ready.api_url}/docs)`)
  terminal.say(`  Apps       http://<app>.localhost:${ready.http_port}`)
  terminal.say(`  Home       ${context.home}`)
  terminal.say('')
  terminal.say(
    `In a folder with your code:   ${bold('gantry apps create shop')}   then   ${bold('git push gantry main')}`,
  )
  terminal.say(
    `Look around:                  ${bold('gantry apps list')}, ${bold('gantry logs --app hello -f')}, ${bold('gantry --help')}`,
  )
  terminal.say('')
  terminal.say(
    detach ? 'It runs in the background. Stop it with: gantry down' : 'Ctrl-C stops everything, apps included.',
  )
}

/** Waits for the end of the platform, whoever ends it; Ctrl-C ends it. After an upgrade it is another process than ours. */
async function stayUntilStopped(context: Context, supervisor: ChildProcess, ready: Ready): Promise<ExitCode> {
  const ended = supervisor.pid === ready.pid ? childEnded(supervisor) : supervisorGone(context, ready.pid)
  const interrupted = new Promise<'interrupted'>((resolve) => {
    if (context.signal.aborted) resolve('interrupted')
    context.signal.addEventListener('abort', () => resolve('interrupted'), { once: true })
  })
  const first = await Promise.race([ended, interrupted])
  if (first === 'interrupted') {
    context.terminal.say('Stopping everything …')
    await Promise.all([askSupervisor(context.home, 'down'), ended])
    return exitCodes.ok
  }
  const now = await askSupervisor<PlatformStatus>(context.home, 'status')
  if (now) context.terminal.say(`Process ${now.pid} took the platform over; it is not this terminal's any more.`)
  return now || first === 0 ? exitCodes.ok : exitCodes.failed
}

function childEnded(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.exitCode)
  return new Promise((resolve) => child.once('exit', (code) => resolve(code)))
}

async function supervisorGone(context: Context, pid: number): Promise<number> {
  for (;;) {
    const status = await askSupervisor<PlatformStatus>(context.home, 'status').catch(() => undefined)
    if (status?.pid !== pid) return 0
    await new Promise((resolve) => setTimeout(resolve, 500))
  }
}
