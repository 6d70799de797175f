import { Command } from 'commander'
import type { CommandDefinition, CommandModule, Input } from './command.ts'
import { type CommandEntry, commands, sections } from './commands/index.ts'
import type { GlobalOptions } from './context.ts'
import { commandList } from './output/help.ts'
import type { Terminal } from './output/terminal.ts'

export type Execute = (module: CommandModule, input: Input, options: GlobalOptions) => Promise<void>

/** The parser, made from the definitions. It loads a command's code when that command is meant. */
export function createProgram(terminal: Terminal, execute: Execute): Command {
  const program = configured(new Command('gantry'), terminal).option('--version', 'print the version')
  program.helpInformation = () => rootHelp(terminal)
  program.showHelpAfterError('(gantry help lists the commands)')
  for (const entry of commands) addCommand(program, entry, terminal, execute)
  return program
}

function configured(command: Command, terminal: Terminal): Command {
  return command
    .exitOverride()
    .helpCommand(false)
    .helpOption('-h, --help', 'show this')
    .showSuggestionAfterError()
    .configureOutput({
      writeOut: (text) => terminal.print(text.trimEnd()),
      writeErr: (text) => terminal.say(text.trimEnd()),
      outputError: (text, write) => write(`${terminal.style('red', 'Error:')} ${text.replace(/^error: /, '')}`),
      getOutHelpWidth: () => Math.min(terminal.columns, 120),
    })
}

function rootHelp(terminal: Terminal): string {
  const listed = sections.map(({ title, commands }) => ({
    title,
    definitions: commands.map(({ definition }) => definition),
  }))
  return [
    'Gantry delivers your code: git push in, a running service out.',
    `${terminal.style('bold', 'Usage')}  gantry COMMAND [OPTIONS]`,
    commandList(listed, terminal),
    'Every command has --json, and --help with examples. The app is that of the git\nremote `gantry` of this folder, or --app NAME; the environment production, or\n--env NAME.',
  ].join('\n\n')
}

function addCommand(program: Command, entry: CommandEntry, terminal: Terminal, execute: Execute): void {
  const { definition, load } = entry
  const command = configured(new Command(definition.path.at(-1)), terminal)
  command.summary(definition.summary).description(descriptionOf(definition))
  command.addHelpText('after', () => `\n${examplesOf(definition)}`)
  for (const [notation, meaning] of Object.entries(definition.arguments ?? {})) command.argument(notation, meaning)
  for (const [notation, meaning] of Object.entries(optionsOf(definition))) command.option(notation, meaning)
  command.showHelpAfterError(`(gantry ${definition.path.join(' ')} --help shows how it is used)`)
  command.action(async () => {
    const options = command.opts<Input['options'] & GlobalOptions>()
    await execute(await load(), { arguments: command.args, options }, options)
  })
  parentOf(program, definition.path, terminal).addCommand(command)
}

/** Its own options and those that many commands have. */
export function optionsOf(definition: CommandDefinition): Readonly<Record<string, string>> {
  return {
    ...definition.options,
    ...(definition.takesApp && { '--app <name>': 'the app (default: that of the git remote gantry)' }),
    ...(definition.takesEnvironment && { '--env <name>': 'the environment (default: production)' }),
    '--json': 'print what the API answers',
  }
}

/** `apps` for `apps create`: made when its first command is added. */
function parentOf(program: Command, path: readonly string[], terminal: Terminal): Command {
  let parent = program
  for (const [depth, name] of path.slice(0, -1).entries()) {
    const known = parent.commands.find((command) => command.name() === name)
    if (!known) parent.addCommand(groupOf(path.slice(0, depth + 1), terminal))
    parent = known ?? parent.commands.at(-1) ?? parent
  }
  return parent
}

function groupOf(path: readonly string[], terminal: Terminal): Command {
  const group = configured(new Command(path.at(-1)), terminal)
  const name = `gantry ${path.join(' ')}`
  const definitions = commands
    .map(({ definition }) => definition)
    .filter((definition) => path.every((word, index) => definition.path[index] === word))
  const hasList = definitions.some((definition) => definition.path.at(-1) === 'list')
  group.showHelpAfterError(`(${name} --help lists the commands)`)
  group.helpInformation = () =>
    [
      `${terminal.style('bold', 'Usage')}  ${name} COMMAND [OPTIONS]`,
      commandList([{ title: 'Commands', definitions }], terminal),
      ...(hasList ? [`\`${name}\` alone is \`${name} list\`. More: ${name} COMMAND --help`] : []),
    ].join('\n\n')
  return group
}

function descriptionOf(definition: CommandDefinition): string {
  return [`${definition.summary}.`, definition.description].filter(Boolean).join('\n\n')
}

function examplesOf(definition: CommandDefinition): string {
  return `Examples:\n${definition.examples.map(([line, does]) => `  ${line}\n      ${does}`).join('\n')}`
}
