import type { CommandDefinition } from '../../command.ts'

export const listBuilds: CommandDefinition = {
  path: ['builds', 'list'],
  summary: 'List the builds for an environment, newest first',
  options: { '-n, --limit <count>': 'how many (default: 20)' },
  takesApp: true,
  takesEnvironment: true,
  examples: [['gantry builds list', 'what was built, by which builder, and how it ended']],
}

export const buildLogs: CommandDefinition = {
  path: ['builds', 'logs'],
  summary: "Print a build's log",
  arguments: { '<id>': 'the id of the build, or `latest`' },
  options: { '-f, --follow': 'go on until the build has ended' },
  takesApp: true,
  takesEnvironment: true,
  examples: [
    ['gantry builds logs latest', 'what the newest build wrote'],
    ['gantry builds logs latest -f', 'the same, to its end'],
  ],
}
