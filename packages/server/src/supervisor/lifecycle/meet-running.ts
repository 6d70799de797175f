import { join } from 'node:path'
import { messageOf, UserError } from '../../kernel/errors.ts'
import { type HomeLock, lockHome } from '../home/lock.ts'
import { inheritedEnvironment } from '../programs/program-environment.ts'
import type { SupervisorContext } from '../supervisor-deps.ts'
import { askLifecycle } from './client.ts'
import type { LifecycleStatus } from './protocol.ts'

/** A supervisor that answered has this long to come to serve. */
const upgradeTimeoutMs = 150_000
const askTimeoutMs = 2000

/** The lock, or the platform that holds it and now runs this build. */
export type Meeting = { readonly lock: HomeLock } | { readonly upgraded: LifecycleStatus }

/**
 * Takes the home. When another supervisor has it: the same build is `already_running`, another one is asked to give
 * over to this build's supervisor, and this process ends when that one serves.
 */
export async function takeHome(context: SupervisorContext): Promise<Meeting> {
  const { home, clock } = context
  const deadline = clock.monotonicMs() + 5000
  for (;;) {
    const lock = await lockHome(home.key)
    if (lock) return { lock }
    const running = await askStatus(context).catch(() => undefined)
    if (running && running.state !== 'stopping') return { upgraded: await upgrade(context, running) }
    if (clock.monotonicMs() > deadline) throw heldBySomebody(context)
    await clock.wait(50) // it has just started, or is about to end
  }
}

function lifecyclePath({ home }: SupervisorContext): string {
  return join(home.path, 'run/lifecycle.sock')
}

function askStatus(context: SupervisorContext): Promise<LifecycleStatus> {
  return askLifecycle(lifecyclePath(context), 'status', {}, askTimeoutMs)
}

async function upgrade(context: SupervisorContext, running: LifecycleStatus): Promise<LifecycleStatus> {
  const { identity, environment, tell } = context
  if (running.build === identity.build) throw alreadyRunning(context, running)
  const { file, args } = context.commandOf('supervisor')
  const request = { file, args, cwd: process.cwd(), env: inheritedEnvironment(environment) }
  const { pid } = await askLifecycle(lifecyclePath(context), 'upgrade', request, 30_000)
  tell({ event: 'upgrading', from: running.build, to: identity.build, pid })
  return await waitUntilServing(context, pid)
}

async function waitUntilServing(context: SupervisorContext, pid: number): Promise<LifecycleStatus> {
  const { clock, home } = context
  const deadline = clock.monotonicMs() + upgradeTimeoutMs
  let last = 'it did not answer'
  while (clock.monotonicMs() < deadline) {
    await clock.wait(50)
    try {
      const status = await askStatus(context)
      if (status.pid === pid && status.state === 'ready') return status
      last = `process ${status.pid} is ${status.state}`
    } catch (error) {
      last = messageOf(error)
      if (!isRunning(pid)) break
    }
  }
  throw new Error(
    `The new supervisor (process ${pid}) does not serve: ${last}. See ${join(home.path, 'log/supervisor.log')}.`,
  )
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

function alreadyRunning({ home }: SupervisorContext, { pid, version, apiUrl }: LifecycleStatus): UserError {
  return new UserError(
    'already_running',
    `Gantry ${version} already runs over ${home.path} (process ${pid}): ${apiUrl}. ` +
      `Stop it with gantry down, or set GANTRY_HOME to another folder.`,
  )
}

function heldBySomebody({ home }: SupervisorContext): UserError {
  return new UserError(
    'already_running',
    `Another process holds ${home.path} (the abstract socket gantry-${home.key}) and does not answer. ` +
      `Find it with: ss -xlp | grep gantry-${home.key}   and end it, or set GANTRY_HOME to another folder.`,
  )
}
