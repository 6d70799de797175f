import { CommanderError } from 'commander'
import { commands } from './commands/index.ts'
import { createContext } from './context.ts'
import { createProgram } from './create-program.ts'
import { commandErrorCode, exitCodes } from './exit-codes.ts'
import { expandCommandLine } from './expand-command-line.ts'
import { spawnArgv } from './kernel/spawn-argv.ts'
import { createTerminal } from './output/terminal.ts'

/** Parses the command line, loads the one command that is meant, runs it; returns the exit code. Never throws. */
export async function runCommandLine(process: NodeJS.Process): Promise<number> {
  const terminal = createTerminal({ stdout: process.stdout, stderr: process.stderr, env: process.env })
  const { signal, again, limitGrace } = listenForInterruption(process)
  let exitCode: number = exitCodes.ok
  const asJson = process.argv.includes('--json')
  const parserTerminal = asJson ? { ...terminal, say: () => undefined } : terminal // what it refuses is told below, as JSON
  const program = createProgram(parserTerminal, async (module, input, options) => {
    const context = createContext({
      options,
      terminal,
      env: process.env,
      cwd: process.cwd(),
      spawnArgv,
      signal,
      again,
      input: process.stdin,
      isRoot: process.getuid?.() === 0,
    })
    if (!module.definition.endsItself) limitGrace()
    exitCode = (await module.run(context, input)) ?? exitCodes.ok
  })
  const words = expandCommandLine(
    process.argv.slice(2),
    commands.map(({ definition }) => definition),
  )
  try {
    await program.parseAsync(words, { from: 'user' })
    return exitCode
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return exitCodes.ok
      if (asJson) terminal.say(JSON.stringify({ error: { code: commandErrorCode, message: sentenceOf(error) } }))
      return exitCodes.usage
    }
    if (signal.aborted) return exitCodes.interrupted
    const { reportError } = await import('./report-error.ts') // it loads the contract, which help does not need
    return reportError(terminal, error, asJson)
  } finally {
    terminal.status('')
  }
}

/** Without the parser's own beginning, and its suggestion on the same line. */
function sentenceOf({ message }: CommanderError): string {
  return message.replace(/^error: /, '').replaceAll('\n', ' ')
}

const graceMs = 1000

interface Interruption {
  readonly signal: AbortSignal
  readonly again: AbortSignal
  /** Ends a command that does not heed the signal within a moment. */
  limitGrace(): void
}

/**
 * Ctrl-C, a termination and a closed terminal abort `signal`, and so does an output that nobody reads any more. A second
 * Ctrl-C aborts `again`. A launcher may pass on what the terminal has sent us too: only Ctrl-C counts twice.
 */
function listenForInterruption(process: NodeJS.Process): Interruption {
  const [interrupted, again] = [new AbortController(), new AbortController()]
  const interrupt = () => interrupted.abort(new Error('interrupted'))
  process.on('SIGINT', () => (interrupted.signal.aborted ? again.abort() : interrupt()))
  for (const name of ['SIGTERM', 'SIGHUP'] as const) process.on(name, interrupt)
  for (const stream of [process.stdout, process.stderr]) stream.on('error', interrupt)
  return {
    signal: interrupted.signal,
    again: again.signal,
    limitGrace() {
      const end = () => setTimeout(() => process.exit(exitCodes.interrupted), graceMs).unref()
      interrupted.signal.addEventListener('abort', end, { once: true })
    },
  }
}
