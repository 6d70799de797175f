import type { CommandDefinition } from '../../command.ts'

export const listEnvs: CommandDefinition = {
  path: ['envs', 'list'],
  summary: 'List the environments of an app',
  takesApp: true,
  examples: [['gantry envs list', 'where each answers, what runs there, and how it is']],
}

export const createEnv: CommandDefinition = {
  path: ['envs', 'create'],
  summary: 'Create an environment, with config and releases of its own',
  arguments: { '<name>': 'the name: it answers at http://NAME--APP.localhost:8080' },
  takesApp: true,
  examples: [['gantry envs create staging', 'then: gantry deploy --env staging']],
}

export const deleteEnv: CommandDefinition = {
  path: ['envs', 'delete'],
  summary: 'Delete an environment with its releases, config and logs',
  description: 'Asks for the name of the environment before it does. `production` lives as long as its app.',
  arguments: { '<name>': 'the environment' },
  options: { '--confirm <name>': 'the name again, instead of being asked' },
  takesApp: true,
  examples: [
    ['gantry envs delete staging', 'asks, then stops and removes everything of it'],
    ['gantry envs delete staging --confirm staging', 'the same in a script'],
  ],
}
