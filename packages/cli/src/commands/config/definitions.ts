import type { CommandDefinition } from '../../command.ts'

const options = { '--build': 'the build config: what builds see, and nothing else' }

export const setConfig: CommandDefinition = {
  path: ['config', 'set'],
  summary: 'Set variables; a running app gets them in a new release, without a build',
  arguments: { '<pairs...>': 'NAME=value, one or several' },
  options: { ...options, '--detach': 'return when the deploy is accepted' },
  takesApp: true,
  takesEnvironment: true,
  examples: [
    ['gantry config set LOG_LEVEL=debug MOTTO="be kind"', 'one new release with both'],
    ['gantry config set --build NPM_TOKEN=secret', 'for builds only, from the next one on'],
  ],
}

export const getConfig: CommandDefinition = {
  path: ['config', 'get'],
  summary: 'Print the value of a variable',
  arguments: { '<name>': 'the name of the variable' },
  options,
  takesApp: true,
  takesEnvironment: true,
  examples: [['gantry config get LOG_LEVEL', 'the value and nothing else']],
}

export const unsetConfig: CommandDefinition = {
  path: ['config', 'unset'],
  summary: 'Remove variables; a running app loses them in a new release, without a build',
  arguments: { '<names...>': 'the names of the variables' },
  options: { ...options, '--detach': 'return when the deploy is accepted' },
  takesApp: true,
  takesEnvironment: true,
  examples: [['gantry config unset LOG_LEVEL', 'a new release without it']],
}

export const listConfig: CommandDefinition = {
  path: ['config', 'list'],
  summary: 'List the variables with their values',
  options,
  takesApp: true,
  takesEnvironment: true,
  examples: [['gantry config list', 'NAME=value, a line each']],
}
