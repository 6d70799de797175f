import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Context } from '../../context.ts'
import { askSupervisor } from '../../lifecycle.ts'
import { stopLeftovers } from '../../start-supervisor.ts'

export async function run(context: Context): Promise<void> {
  context.terminal.status('Stopping everything …')
  const answer = await askSupervisor(context.home, 'down')
  const wasRunning = answer !== undefined || (await stopWithoutSupervisor(context))
  if (context.isJson) context.terminal.json({ home: context.home, stopped: wasRunning })
  else context.terminal.say(wasRunning ? 'Stopped. The data stays.' : `Nothing runs over ${context.home}.`)
}

/** A supervisor that was killed leaves apps, router, control plane and database running. */
async function stopWithoutSupervisor(context: Context): Promise<boolean> {
  return existsSync(join(context.home, 'run')) && (await stopLeftovers(context))
}
