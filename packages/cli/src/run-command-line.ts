import { Command, CommanderError } from 'commander'
import type { CommandDefinition, CommandModule } from './command.ts'
import { commands } from './commands/index.ts'
import { createContext, type GlobalOptions } from './context.ts'
import { exitCodes } from './exit-codes.ts'
import { spawnArgv } from './kernel/spawn-argv.ts'
import { createTerminal } from './output/terminal.ts'
import { reportError } from './report-error.ts'

/** Parses the command line, loads the one command that is meant, runs it; returns the exit code. Never throws. */
export async function runCommandLine(process: NodeJS.Process): Promise<number> {
  const terminal = createTerminal({ stdout: process.stdout, stderr: process.stderr, env: process.env })
  const interrupted = new AbortController()
  process.once('SIGINT', () => interrupted.abort(new Error('interrupted')))
  let exitCode: number = exitCodes.ok
  const program = createProgram(async (module, input, options) => {
    const context = createContext({
      options,
      terminal,
      env: process.env,
      cwd: process.cwd(),
      spawnArgv,
      signal: interrupted.signal,
      input: process.stdin,
      isRoot: process.getuid?.() === 0,
    })
    exitCode = (await module.run(context, input)) ?? exitCodes.ok
  })
  try {
    await program.parseAsync(process.argv)
    return exitCode
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage
    if (interrupted.signal.aborted) return exitCodes.interrupted
    return reportError(terminal, error, process.argv.includes('--json'))
  }
}

type Execute = (
  module: CommandModule,
  input: Parameters<CommandModule['run']>[1],
  options: GlobalOptions,
) => Promise<void>

function createProgram(execute: Execute): Command {
  const program = new Command('gantry')
    .description('Delivers your code: git push in, a running service out.')
    .helpCommand('help [command]', 'show what a command does')
    .option('--version', 'print the version')
    .showSuggestionAfterError()
    .exitOverride()
    .configureHelp({ showGlobalOptions: false, subcommandTerm: (command) => command.name() })
  for (const { definition, load } of commands) addCommand(program, definition, load, execute)
  return program
}

function addCommand(
  program: Command,
  definition: CommandDefinition,
  load: () => Promise<CommandModule>,
  execute: Execute,
): void {
  const name = definition.path.at(-1) ?? ''
  const command = new Command(name).summary(definition.summary).description(helpTextOf(definition))
  for (const [notation, meaning] of Object.entries(definition.arguments ?? {})) command.argument(notation, meaning)
  for (const [notation, meaning] of Object.entries(definition.options ?? {})) command.option(notation, meaning)
  command.option('--json', 'print what the API answers')
  if (definition.takesApp) command.option('--app <name>', 'the app (default: that of the git remote gantry)')
  if (definition.takesEnvironment) command.option('--env <name>', 'the environment (default: production)')
  command.exitOverride().showHelpAfterError('(add --help for how it is used)')
  command.action(async () => {
    const options = command.opts<Record<string, string | boolean | undefined> & GlobalOptions>()
    await execute(await load(), { arguments: command.args, options }, options)
  })
  parentOf(program, definition.path).addCommand(command)
}

/** `apps` for `apps create`: made when its first command is added. */
function parentOf(program: Command, path: readonly string[]): Command {
  let parent = program
  for (const name of path.slice(0, -1)) {
    const known = parent.commands.find((command) => command.name() === name)
    parent = known ?? parent.command(name).exitOverride().showSuggestionAfterError()
  }
  return parent
}

function helpTextOf(definition: CommandDefinition): string {
  const examples = definition.examples.map(([line, does]) => `  ${line}\n      ${does}`).join('\n')
  return [`${definition.summary}.`, definition.description, `Examples:\n${examples}`].filter(Boolean).join('\n\n')
}
