import type { Command } from '../engine.ts'

/** What a command of the fake engine does: in place of a program, data. */
export interface FakeBehaviour {
  readonly print?: readonly string[]
  readonly exit?: { readonly code: number; readonly afterMs: number }
  /** It cannot be started, and why. */
  readonly startFailure?: string
}

/** A command that the fake obeys; it takes any other for one that runs until it is stopped. */
export function fakeCommand(behaviour: FakeBehaviour): Command {
  return { kind: 'argv', file: 'fake', args: [JSON.stringify(behaviour)] }
}

export function behaviourOf(command: Command): FakeBehaviour {
  if (command.kind !== 'argv' || command.file !== 'fake') return {}
  return JSON.parse(command.args[0] ?? '{}')
}
