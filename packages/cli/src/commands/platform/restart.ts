import { restartEnvironment } from '@gantry/api'
import type { Input } from '../../command.ts'
import { textOption } from '../../command.ts'
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
  const answer = await askSupervisor(context.home, 'replaceProgram', { program })
  if (answer === undefined) throw notRunning(context)
  context.terminal.say(`A new ${program} serves.`)
}

async function restartPlatform(context: Context): Promise<void> {
  const answer = await askSupervisor<{ pid: number }>(context.home, 'restart')
  if (answer === undefined) throw notRunning(context)
  for (;;) {
    const status = await askSupervisor<PlatformStatus>(context.home, 'status').catch(() => undefined)
    if (status?.pid === answer.pid && status.state === 'ready') break
    context.signal.throwIfAborted()
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  context.terminal.say(`Restarted; process ${answer.pid} is the supervisor. Apps kept serving.`)
}

export function notRunning(context: Context): CommandError {
  return new CommandError(exitCodes.unreachable, `Nothing runs over ${context.home}.`, 'Start it: gantry up')
}
