import type { ChildProcess } from 'node:child_process'
import { mkdir, open } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Context } from './context.ts'
import { CommandError, exitCodes } from './exit-codes.ts'
import { took } from './output/words.ts'
import { serverCommand } from './server-program.ts'

/** What the supervisor says when the platform serves. `pid` is of the supervisor that runs now, after an upgrade another. */
export interface Ready {
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
  | { readonly event: 'stopped'; readonly found: boolean }
  | { readonly event: 'failed'; readonly code: string; readonly message: string }

const stepNames: Readonly<Record<string, string>> = {
  postgres: 'PostgreSQL',
  control_plane: 'control plane',
  router: 'router',
  instances: 'instances',
  toolchains: 'toolchains',
}

/** A start that says nothing for so long hangs. The longest step is an upgrade, which the supervisor itself limits to 150 s. */
const silenceMs = 180_000

/**
 * Starts the supervisor in a session of its own: Ctrl-C reaches it by us, once, and a closed terminal does not end it. With
 * `detach` it has no descriptor of this terminal.
 */
export async function startSupervisor(context: Context, detach: boolean): Promise<ChildProcess> {
  const { file, args } = serverCommand()
  const log = detach ? await openLog(context.home) : undefined
  const output = detach ? (log?.fd ?? 'ignore') : 'inherit'
  const child = context.spawnArgv(file, [...args, 'supervisor'], {
    cwd: '/',
    detached: true,
    stdio: ['ignore', output, output, 'pipe'],
    env: { ...context.env, GANTRY_HOME: context.home, GANTRY_EVENTS_FD: '3' },
  })
  await log?.close()
  return child
}

/** What Node itself writes when a program cannot even be loaded; the supervisor's own words are in the events and its log. */
async function openLog(home: string) {
  if (!isAbsolute(home)) return undefined // refused by the supervisor, which says it better
  try {
    await mkdir(join(home, 'log'), { recursive: true, mode: 0o711 })
    return await open(join(home, 'log', 'up.log'), 'a', 0o600)
  } catch {
    return undefined // a home that cannot be written is refused by the supervisor, which says it better
  }
}

/** Shows the steps of the start. Throws when it fails, hangs, or is interrupted; then nothing of it is left. */
export async function followStart(context: Context, supervisor: ChildProcess): Promise<Ready> {
  const stop = () => void supervisor.kill('SIGTERM')
  context.signal.addEventListener('abort', stop, { once: true })
  let hang: NodeJS.Timeout | undefined
  try {
    const failed = new Promise<never>((_, reject) => {
      supervisor.once('error', reject)
      hang = setTimeout(() => reject(hangs(context)), silenceMs)
    })
    return await Promise.race([readEvents(context, supervisor, () => hang?.refresh()), failed])
  } catch (error) {
    supervisor.kill('SIGTERM')
    await childEndedSoon(supervisor)
    supervisor.unref()
    throw error
  } finally {
    clearTimeout(hang)
    context.signal.removeEventListener('abort', stop)
    context.terminal.status('')
  }
}

async function readEvents(context: Context, supervisor: ChildProcess, onSign: () => void): Promise<Ready> {
  const { terminal } = context
  const pipe = supervisor.stdio[3]
  if (!pipe || !('readable' in pipe)) throw new Error('the supervisor has no event pipe')
  terminal.status('Starting …')
  for await (const line of createInterface({ input: pipe as NodeJS.ReadableStream })) {
    onSign()
    const event = JSON.parse(line) as StartEvent
    if (event.event === 'ready') return event
    if (event.event === 'failed') throw failure(event, context.home)
    if (event.event === 'step') {
      const name = stepNames[event.step] ?? event.step
      terminal.say(`  ${terminal.style('green', '✓')} ${name} ${terminal.style('dim', took(event.ms))}`)
    } else if (event.event === 'upgrading')
      terminal.say(`Upgrading the running platform from ${event.from} to ${event.to}; apps keep serving.`)
    terminal.status('Starting …')
  }
  const log = `See ${join(context.home, 'log')}.`
  throw new CommandError(exitCodes.failed, 'The supervisor ended before it was ready.', log)
}

/** Stops what a supervisor that was killed left running; false when there was nothing. */
export async function stopLeftovers({ home, env, spawnArgv }: Context): Promise<boolean> {
  const { file, args } = serverCommand()
  const child = spawnArgv(file, [...args, 'supervisor'], {
    cwd: '/',
    stdio: ['ignore', 'ignore', 'inherit', 'pipe'],
    env: { ...env, GANTRY_HOME: home, GANTRY_EVENTS_FD: '3', GANTRY_STOP_ONLY: '1' },
  })
  for await (const line of createInterface({ input: child.stdio[3] as NodeJS.ReadableStream })) {
    const event = JSON.parse(line) as StartEvent
    if (event.event === 'failed') throw failure(event, home)
    if (event.event === 'stopped') return event.found
  }
  throw new CommandError(exitCodes.failed, 'What was left running could not be stopped.', `See ${join(home, 'log')}.`)
}

function failure({ code, message }: { readonly code: string; readonly message: string }, home: string): CommandError {
  const exitCode = code === 'already_running' ? exitCodes.conflict : exitCodes.failed
  const hint = code === 'internal_error' ? `See ${join(home, 'log')}.` : undefined
  return new CommandError(exitCode, message, hint, code)
}

function hangs({ home }: Context): CommandError {
  const message = `The start said nothing for ${silenceMs / 1000} s and was ended.`
  return new CommandError(exitCodes.failed, message, `See ${join(home, 'log')}.`)
}

const endMs = 90_000

/** The exit code, or `null` when it was ended by a signal. */
export function childEnded(child: ChildProcess): Promise<number | null> {
  const isOver = child.pid === undefined || child.exitCode !== null || child.signalCode !== null
  if (isOver) return Promise.resolve(child.exitCode)
  return new Promise((resolve) => child.once('exit', resolve))
}

/** The same, but no longer than the longest stop takes: then `null` too. */
async function childEndedSoon(child: ChildProcess): Promise<number | null> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), endMs)
  })
  return await Promise.race([childEnded(child), late]).finally(() => clearTimeout(timer))
}
