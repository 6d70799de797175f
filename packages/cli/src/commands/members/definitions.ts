import type { CommandDefinition } from '../../command.ts'

const roles = 'viewer (sees all but secrets), developer (deploys too), admin (members and deleting too), owner (all)'

export const listMembers: CommandDefinition = {
  path: ['members', 'list'],
  summary: 'List the people of the team',
  examples: [['gantry members list', 'names, roles, and who has yet to join']],
}

export const inviteMember: CommandDefinition = {
  path: ['members', 'invite'],
  summary: 'Invite a person and print the invitation, this once',
  description:
    'The invitation goes to standard output, everything else to standard error. The person uses it with gantry join, once. With --again a member who has not joined, or has no token that works any more, gets a new one.',
  arguments: { '<name>': 'what the person is called' },
  options: {
    '--role <role>': `${roles} (default: developer)`,
    '--expires <time>': 'when the invitation stops working: 12h, 30d at most, or a time (default: 7d)',
    '--again': 'for somebody who is a member: earlier invitations of theirs stop working',
  },
  examples: [
    ['gantry members invite Mia', 'for: gantry join URL'],
    ['gantry members invite Mia --again', 'when it was lost, or her tokens were: revoke those first'],
  ],
}

export const setRole: CommandDefinition = {
  path: ['members', 'role'],
  summary: 'Change what a person may do',
  arguments: { '<name>': 'the name or the id of the member', '<role>': roles },
  examples: [['gantry members role Mia admin', 'counts within a second']],
}

export const removeMember: CommandDefinition = {
  path: ['members', 'remove'],
  summary: 'Remove a person from the team, and revoke all their tokens',
  arguments: { '<name>': 'the name or the id of the member' },
  examples: [['gantry members remove Mia', 'their tokens stop working at once; what they deployed stays']],
}

export const join: CommandDefinition = {
  path: ['join'],
  summary: 'Accept an invitation, and sign in',
  description: 'Reads the invitation from standard input, or asks for it. Keeps the token that it makes, like login.',
  arguments: { '<url>': 'the address of its API, such as https://gantry.example.com' },
  options: { '--name <name>': 'what the token is called (default: the name of this machine)' },
  examples: [['gantry join https://gantry.example.com < invitation.txt', 'without being asked']],
}

export const audit: CommandDefinition = {
  path: ['audit'],
  summary: 'Show who changed what, and what was refused',
  options: {
    '--limit <count>': 'how many events, the newest ones, up to 100 (default: 50)',
    '--refused': 'only what was refused',
    '--action <action>': 'only this operation, such as delete_app or "git push"',
    '--export': 'all of them, a JSON object a line',
  },
  examples: [
    ['gantry audit', 'the last 50 changes and refusals'],
    ['gantry audit --export > audit.ndjson', 'everything that is kept: 400 days'],
  ],
}
