import type { CommandDefinition } from '../../command.ts'

export const deploy: CommandDefinition = {
  path: ['deploy'],
  summary: 'Upload this folder as it is and deploy it, without git',
  description:
    'Sends what .gitignore and .gantryignore do not exclude. Never sent: .git, node_modules, .env and its kin. Follows the deploy to its end.',
  arguments: { '[folder]': 'the folder to send (default: this one)' },
  options: { '--detach': 'return when the deploy is accepted' },
  takesApp: true,
  takesEnvironment: true,
  examples: [
    ['gantry deploy', 'deploys the working tree to production'],
    ['gantry deploy dist --app docs --env staging', 'deploys the folder dist to the staging of docs'],
  ],
}

export const rollback: CommandDefinition = {
  path: ['rollback'],
  summary: 'Make an earlier release live again: its code, its process types and its config',
  arguments: { '[release]': 'such as v5 (default: the one before the live one)' },
  options: { '--keep-config': 'keep the config as it is now', '--detach': 'return when the deploy is accepted' },
  takesApp: true,
  takesEnvironment: true,
  examples: [
    ['gantry rollback', 'back to the release before'],
    ['gantry rollback v5 --keep-config', "v5's code with today's config"],
  ],
}

export const listDeploys: CommandDefinition = {
  path: ['deploys', 'list'],
  summary: 'List the deploys of an environment, newest first',
  options: { '-n, --limit <count>': 'how many (default: 20)' },
  takesApp: true,
  takesEnvironment: true,
  examples: [['gantry deploys list', 'what was deployed, when, and how it ended']],
}

const id = { '<id>': 'the id of the deploy, or `latest`' }

export const showDeploy: CommandDefinition = {
  path: ['deploys', 'show'],
  summary: 'Show a deploy and its steps',
  arguments: id,
  takesApp: true,
  takesEnvironment: true,
  examples: [['gantry deploys show latest', 'status, commit, release, and each step with its time']],
}

export const deployLogs: CommandDefinition = {
  path: ['deploys', 'logs'],
  summary: "Print a deploy's log",
  arguments: id,
  takesApp: true,
  takesEnvironment: true,
  examples: [['gantry deploys logs latest', 'its steps, and what its release phase wrote']],
}

export const watchDeploy: CommandDefinition = {
  path: ['deploys', 'watch'],
  summary: 'Follow a deploy to its end; the exit code is 1 when it does not go live',
  arguments: id,
  takesApp: true,
  takesEnvironment: true,
  examples: [['gantry deploys watch latest', 'log, steps and result as they come']],
}

export const cancelDeploy: CommandDefinition = {
  path: ['deploys', 'cancel'],
  summary: 'Cancel a deploy that has not gone live',
  arguments: id,
  takesApp: true,
  takesEnvironment: true,
  examples: [['gantry deploys cancel latest', 'ends its build; the old release stays']],
}

export const retryDeploy: CommandDefinition = {
  path: ['deploys', 'retry'],
  summary: 'Try again what did not go live: the same source, as a new deploy',
  arguments: id,
  options: { '--detach': 'return when the deploy is accepted' },
  takesApp: true,
  takesEnvironment: true,
  examples: [['gantry deploys retry latest', 'builds and deploys the same commit again']],
}
