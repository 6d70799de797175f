import type { Context } from '../../context.ts'
import { askSupervisor } from '../../lifecycle.ts'

export async function run(context: Context): Promise<void> {
  context.terminal.status('Stopping everything …')
  const answer = await askSupervisor(context.home, 'down')
  context.terminal.status('')
  context.terminal.say(answer === undefined ? `Nothing runs over ${context.home}.` : 'Stopped. The data stays.')
}
