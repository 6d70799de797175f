import { setTimeout as wait } from 'node:timers/promises'
import { restartEnvironment } from '@gantry/api'
import { type Input, textOption } from '../../command.ts'
import { type Context, labelOf } from '../../context.ts'
import { CommandError, exitCodes } from '../../exit-codes.ts'
import { askSupervisor, type PlatformStatus } from '../../lifecycle.ts'

const programs = ['control-plane', 'router']

export async function run(context: Context, input: Input): Promise<void> {
  const what = input.arguments[0] ?? textOption(input, 'app')
  if (what === undefined) return await restartPlatform(context)
  if (programs.includes(what)) return await restartProgram(context, what)
  const id = labelOf(what, textOption(input, 'env') ?? 'production')
  const client = await context.client()
  const answer = await client.call(restartEnvironment, { params: { id } })
  if (context.isJson) context.terminal.json(answer)
  else context.terminal.say(`Restarting ${id}: new instances first. Look: gantry ps --app ${what}`)
}

async function restartProgram(context: Context, program: string): Promise<void> {
  context.terminal.status(`Replacing the ${program} …`)
  const answer = await askSupervisor(context.home, 'replaceProgram', { program })
  if (answer === undefined) throw notRunning(context)
  if (context.isJson) context.terminal.json({ program })
  else context.terminal.say(`A new ${program} serves.`)
}

async function restartPlatform(context: Context): Promise<void> {
  context.terminal.status('Restarting …')
  const answer = await askSupervisor<{ pid: number }>(context.home, 'restart')
  if (answer === undefined) throw notRunning(context)
  const status = await waitUntilServing(context, answer.pid)
  if (context.isJson) context.terminal.json(status)
  else context.terminal.say(`Restarted; process ${status.pid} is the supervisor. Apps kept serving.`)
}

const servingMs = 150_000

async function waitUntilServing(context: Context, pid: number): Promise<PlatformStatus> {
  const end = performance.now() + servingMs
  let last: PlatformStatus | undefined
  while (performance.now() < end) {
    last = await askSupervisor<PlatformStatus>(context.home, 'status').catch(() => undefined)
    if (last?.pid === pid && last.state === 'ready') return last
    await wait(50, undefined, { signal: context.signal })
  }
  const state = last ? `process ${last.pid} is ${last.state}` : 'nobody answers'
  throw new CommandError(
    exitCodes.failed,
    `The new supervisor, process ${pid}, did not serve within ${servingMs / 1000} s: ${state}.`,
    `See ${context.home}/log/supervisor.log.`,
  )
}

function notRunning(context: Context): CommandError {
  return new CommandError(exitCodes.unreachable, `Nothing runs over ${context.home}.`, 'Start it: gantry up')
}
