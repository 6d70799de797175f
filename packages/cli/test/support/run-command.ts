/** Runs one command as the command line does, with everything around it replaced. */
import { tmpdir } from 'node:os'
import type { Input } from '../../src/command.ts'
import { commands } from '../../src/commands/index.ts'
import { type Context, createContext, type GlobalOptions } from '../../src/context.ts'
import { createProgram } from '../../src/create-program.ts'
import { expandCommandLine } from '../../src/expand-command-line.ts'
import { spawnArgv } from '../../src/kernel/spawn-argv.ts'
import { createTerminal, type Terminal } from '../../src/output/terminal.ts'

export interface RecordedTerminal {
  readonly terminal: Terminal
  readonly stdout: () => string
  readonly stderr: () => string
}

export interface Screen {
  readonly isTTY?: boolean
  readonly columns?: number
  readonly env?: Readonly<Record<string, string>>
}

export function recordTerminal(screen: Screen = {}): RecordedTerminal {
  const written = { stdout: '', stderr: '' }
  const stream = (name: 'stdout' | 'stderr') => ({
    write: (text: string) => {
      written[name] += text
    },
    ...(screen.isTTY !== undefined && { isTTY: screen.isTTY }),
    ...(screen.columns !== undefined && { columns: screen.columns }),
  })
  const terminal = createTerminal({ stdout: stream('stdout'), stderr: stream('stderr'), env: screen.env ?? {} })
  return { terminal, stdout: () => written.stdout, stderr: () => written.stderr }
}

export interface CommandRun {
  readonly screen?: Screen
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  readonly input?: string
  readonly signal?: AbortSignal
}

export interface CommandResult {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

/** Rejects with what the command throws. */
export async function runCommand(words: readonly string[], given: CommandRun = {}): Promise<CommandResult> {
  const { terminal, stdout, stderr } = recordTerminal(given.screen)
  let exitCode = 0
  const program = createProgram(terminal, async (module, input: Input, options: GlobalOptions) => {
    exitCode = (await module.run(contextFor(terminal, given, options), input)) ?? 0
  })
  const definitions = commands.map(({ definition }) => definition)
  await program.parseAsync(expandCommandLine(words, definitions), { from: 'user' })
  return { exitCode, stdout: stdout(), stderr: stderr() }
}

export function contextFor(terminal: Terminal, given: CommandRun, options: GlobalOptions = {}): Context {
  const env = { PATH: process.env.PATH ?? '', HOME: tmpdir(), ...given.env }
  return createContext({
    options,
    terminal,
    env,
    cwd: given.cwd ?? tmpdir(),
    spawnArgv,
    signal: given.signal ?? new AbortController().signal,
    again: new AbortController().signal,
    input: Object.assign(textInput(given.input ?? ''), { isTTY: false }),
    isRoot: false,
  })
}

async function* textInput(text: string): AsyncGenerator<string> {
  yield text
}
