import type { Context } from './context.ts'
import { CommandError, exitCodes } from './exit-codes.ts'

export interface Confirmation {
  /** What has to be typed. */
  readonly name: string
  /** What is deleted, in words. */
  readonly what: string
  /** The name that came on the command line, if any. */
  readonly given: string | undefined
}

/** Resolves when the name was given or typed; throws otherwise, and where nobody can be asked. */
export async function confirmName(context: Context, { name, what, given }: Confirmation): Promise<void> {
  const typed = given ?? (await ask(context, name, what))
  if (typed === name) return
  throw new CommandError(exitCodes.usage, `Nothing was deleted: the name to confirm is ${name}.`)
}

async function ask(context: Context, name: string, what: string): Promise<string> {
  if (!context.isInputTerminal || !context.terminal.isTerminal) {
    throw new CommandError(exitCodes.usage, `Deleting ${what} has to be confirmed.`, `Add: --confirm ${name}`)
  }
  const { text } = await import('@clack/prompts')
  const message = `This deletes ${what} with its releases, config and logs. Type its name, ${name}:`
  const typed = await text({ message })
  return typeof typed === 'string' ? typed : ''
}
