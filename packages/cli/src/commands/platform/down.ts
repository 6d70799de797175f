import type { Context } from '../../context.ts'
import { askSupervisor } from '../../lifecycle.ts'

export async function run(context: Context): Promise<void> {
  context.terminal.status('Stopping everything …')
  const answer = await askSupervisor(context.home, 'down')
  const wasRunning = answer !== undefined
  if (context.isJson) context.terminal.json({ home: context.home, stopped: wasRunning })
  else context.terminal.say(wasRunning ? 'Stopped. The data stays.' : `Nothing runs over ${context.home}.`)
}
