import type { CommandDefinition } from '../../command.ts'

export const listReleases: CommandDefinition = {
  path: ['releases', 'list'],
  summary: 'List the releases of an environment, newest first',
  takesApp: true,
  takesEnvironment: true,
  examples: [['gantry releases', 'what was made live when, and by whom; then: gantry rollback v5']],
}

export const showRelease: CommandDefinition = {
  path: ['releases', 'show'],
  summary: 'Show a release and what it runs',
  arguments: { '[release]': 'such as v5, or its id (default: the live one)' },
  takesApp: true,
  takesEnvironment: true,
  examples: [['gantry releases show v5', 'its commit, artifact and process types']],
}
