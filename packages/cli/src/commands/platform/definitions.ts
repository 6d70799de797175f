import type { CommandDefinition } from '../../command.ts'

export const up: CommandDefinition = {
  path: ['up'],
  summary: 'Start the platform on this machine',
  description:
    'Starts PostgreSQL, control plane and router over GANTRY_HOME and stays; Ctrl-C stops everything, apps included. On the very first start it deploys a sample app by a real git push. Over a running platform of another version it upgrades that one, and apps keep serving.',
  options: {
    '-d, --detach': 'return when the platform is ready, and leave it running',
    '--no-sample': 'deploy no sample app on the first start',
  },
  endsItself: true,
  examples: [
    ['gantry up', 'starts, shows each step, and stays'],
    ['gantry up --detach', 'starts and returns; later: gantry down'],
  ],
}

export const down: CommandDefinition = {
  path: ['down'],
  summary: 'Stop the platform on this machine, apps included',
  examples: [['gantry down', 'nothing of it runs any more; the data stays']],
}

export const restart: CommandDefinition = {
  path: ['restart'],
  summary: 'Restart the platform while apps keep serving, or restart an app',
  arguments: {
    '[what]': 'an app; or `control-plane`, `router`; nothing: supervisor, control plane and router',
  },
  takesApp: true,
  takesEnvironment: true,
  examples: [
    ['gantry restart', 'new processes of the platform; no request is lost'],
    ['gantry restart shop', 'new instances of the app shop, before the old ones end'],
    ['gantry restart router', 'a new router takes over the port'],
  ],
}

export const installService: CommandDefinition = {
  path: ['service', 'install'],
  summary: 'Print the systemd unit and, as root, install it',
  options: { '--print': 'only print it' },
  examples: [['sudo gantry service install', 'Gantry starts with the machine']],
}

export const status: CommandDefinition = {
  path: ['status'],
  summary: 'Show how the platform is',
  examples: [['gantry status', 'version, addresses, programs and health']],
}

export const doctor: CommandDefinition = {
  path: ['doctor'],
  summary: 'Check this machine and the platform, and say what to do',
  examples: [['gantry doctor', 'the isolation level, what is missing for the next one, and every check']],
}

export const rotateKey: CommandDefinition = {
  path: ['platform', 'rotate-key'],
  summary: 'Replace the key that encrypts config',
  description:
    'Encrypts all config anew with a new master key, while apps keep serving, and then removes the old one. Only an owner may. It goes on by itself: after Ctrl-C, and after a crash. Copy the new file below keys/ to where you keep the key.',
  options: { '-d, --detach': 'return at once' },
  examples: [['gantry platform rotate-key', 'starts, shows how far it is, and returns when the old key is gone']],
}

export const login: CommandDefinition = {
  path: ['login'],
  summary: 'Sign in to a platform on another machine',
  description: 'Reads the token from standard input, or asks for it. Keeps both in a file that only you can read.',
  arguments: { '<url>': 'the address of its API, such as https://gantry.example.com' },
  examples: [['gantry login https://gantry.example.com < token.txt', 'without being asked']],
}

export const logout: CommandDefinition = {
  path: ['logout'],
  summary: 'Forget the platform that login or join signed in to',
  description: 'The token goes on working elsewhere, until it is revoked: gantry tokens revoke.',
  examples: [['gantry logout', 'commands mean the platform of this machine again']],
}
