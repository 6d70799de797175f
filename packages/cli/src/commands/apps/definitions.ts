import type { CommandDefinition } from '../../command.ts'

export const createApp: CommandDefinition = {
  path: ['apps', 'create'],
  summary: 'Create an app, with its git remote when this folder is a git repository',
  description:
    'Names have 1 to 39 lower-case letters, digits and single hyphens, and begin with a letter. In a git repository the remote `gantry` is set and the credentials for it are kept by git, for that URL only.',
  arguments: { '<name>': 'the name: the app answers at http://NAME.localhost:8080' },
  options: {
    '--root <folder>': 'the folder of the repository that holds the app (default: its top)',
    '--branch <name>': 'the branch whose pushes deploy production (default: main)',
    '--no-remote': 'leave the git repository of this folder alone',
  },
  examples: [
    ['gantry apps create shop', 'makes the app shop; then: git push gantry main'],
    ['gantry apps create billing --root services/billing', 'an app in a folder of a larger repository'],
  ],
}

export const listApps: CommandDefinition = {
  path: ['apps', 'list'],
  summary: 'List the apps, newest first',
  examples: [['gantry apps list', 'names, where they answer, and how they are']],
}

export const showApp: CommandDefinition = {
  path: ['apps', 'show'],
  summary: 'Show an app with its environments',
  arguments: { '[name]': 'the app (default: that of the git remote gantry)' },
  takesApp: true,
  examples: [['gantry apps show shop', 'its git URL, branch, environments and releases']],
}

export const connectApp: CommandDefinition = {
  path: ['apps', 'connect'],
  summary: 'Make the git repository of this folder push to an app',
  description: 'Sets the remote `gantry` and the credentials for it, as `apps create` does.',
  arguments: { '[name]': 'the app (default: that of the git remote gantry)' },
  takesApp: true,
  examples: [['gantry apps connect shop', 'on another machine or in another clone; then: git push gantry main']],
}

export const deleteApp: CommandDefinition = {
  path: ['apps', 'delete'],
  summary: 'Delete an app with its releases, config and logs',
  description: 'Asks for the name of the app before it does. There is no way back.',
  arguments: { '[name]': 'the app (default: that of the git remote gantry)' },
  options: { '--confirm <name>': 'the name again, instead of being asked' },
  takesApp: true,
  examples: [
    ['gantry apps delete shop', 'asks, then stops and removes everything of it'],
    ['gantry apps delete shop --confirm shop', 'the same in a script'],
  ],
}
