import type { CommandDefinition } from '../../command.ts'

export const ps: CommandDefinition = {
  path: ['ps'],
  summary: 'List what runs: instances, their release, age and crashes',
  description:
    'One line for each instance, and for each that should run and does not. WHY tells how the last one in its place ended, when that was a crash.',
  takesApp: true,
  takesEnvironment: true,
  examples: [['gantry ps --app shop', 'web.1, web.2, … of production']],
}

export const logs: CommandDefinition = {
  path: ['logs'],
  summary: 'Print what the app wrote, or follow it',
  description:
    'Each line has a time (on a terminal that of this machine, else UTC), the instance that wrote it, and the text. Lines of `gantry` tell of crashes and of what was dropped.',
  options: {
    '-f, --follow': 'go on with what comes; Ctrl-C ends it',
    '-n, --lines <count>': 'the last so many lines (default: 100; with --since: all)',
    '--since <time>': 'from then on: 30s, 10m, 2h, 3d ago, or 2026-08-22T09:30:00Z',
    '--process <name>': 'of one process type (web) or one instance (web.1)',
  },
  takesApp: true,
  takesEnvironment: true,
  examples: [
    ['gantry logs -f', 'the last 100 lines, and then each as it comes'],
    ['gantry logs --since 2h --process worker -n 1000', 'at most 1000 lines of the workers'],
  ],
}

export const scale: CommandDefinition = {
  path: ['scale'],
  summary: 'Set how many instances run, by process type; without any, show it',
  arguments: { '[pairs...]': 'TYPE=COUNT, one or several' },
  takesApp: true,
  takesEnvironment: true,
  examples: [
    ['gantry scale web=3 worker=1', 'starts and ends instances until it is so'],
    ['gantry scale web=0', 'stops the web; the app answers 503'],
  ],
}

export const open: CommandDefinition = {
  path: ['open'],
  summary: 'Print where the app answers, and open it in the browser',
  takesApp: true,
  takesEnvironment: true,
  examples: [['gantry open --env staging', 'http://staging--shop.localhost:8080']],
}
