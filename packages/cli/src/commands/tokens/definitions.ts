import type { CommandDefinition } from '../../command.ts'

export const createToken: CommandDefinition = {
  path: ['tokens', 'create'],
  summary: 'Make a token and print it, this once',
  description:
    'The token goes to standard output, everything else to standard error. Without --scopes it permits all that you are permitted; with --app only on that app.',
  arguments: { '<name>': 'what it is for' },
  options: {
    '--scopes <list>': 'what it permits, such as app:read,deploy:create (default: all)',
    '--expires <time>': 'when it stops working: 12h, 90d, or 2027-08-22T09:30:00Z (default: never)',
    '--app <name>': 'limit it to this app',
  },
  examples: [
    ['gantry tokens create laptop', 'for: gantry login URL'],
    ['gantry tokens create ci --app shop --scopes source:create,deploy:create,deploy:read', 'for a robot that deploys'],
  ],
}

export const listTokens: CommandDefinition = {
  path: ['tokens', 'list'],
  summary: 'List the tokens, without what they are',
  examples: [
    [
      'gantry tokens list',
      'names, whether each is valid, and when it was last used; where there is room, also what it permits',
    ],
  ],
}

export const revokeToken: CommandDefinition = {
  path: ['tokens', 'revoke'],
  summary: 'Revoke a token; it stops working at once',
  arguments: { '<id>': 'the id of the token' },
  examples: [['gantry tokens revoke tok-01j5…', 'nobody can use it any more']],
}
