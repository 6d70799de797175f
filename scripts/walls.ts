/**
 * The walls as data: who may import whom inside packages/server/src, and what is banned everywhere. `check-walls.ts` holds
 * them, and ARCHITECTURE.md prints them (a test compares).
 */

/** The rooms, in order: a room may use the doors (`index.ts`) of earlier rooms only. */
export const rooms = [
  'access',
  'apps',
  'builds',
  'services',
  'releases',
  'routing',
  'logs',
  'metrics',
  'running',
  'tasks',
  'source',
  'delivery',
  'platform',
] as const

/** Files that say what an outside part must do. Everybody but the kernel may read them. */
export const ports = [
  'engines/engine.ts',
  'builders/builder.ts',
  'recipes/recipe.ts',
  'router/protocol.ts',
  'supervisor/protocol.ts',
  'supervisor/output/log-format.ts',
  // git is not one vendor among several: the room `source` speaks its protocol, and the client is how it speaks
  'clients/git/index.ts',
] as const

export interface Wall {
  /** Folder below packages/server/src. */
  readonly part: string
  /** Folders it may import from, besides its own and the ports where `ports` is true. */
  readonly mayImport: readonly string[]
  readonly ports: boolean
  /** npm packages it may import; `*` is any. `@gantry/api` counts as one; its types are everybody's. */
  readonly packages: readonly string[]
}

export const walls: readonly Wall[] = [
  { part: 'kernel', mayImport: [], ports: false, packages: ['@gantry/api', 'pino'] },
  { part: 'config', mayImport: ['kernel'], ports: false, packages: ['@gantry/api', 'zod'] },
  { part: 'db', mayImport: ['kernel'], ports: false, packages: ['@gantry/api', 'pg'] },
  { part: 'work', mayImport: ['kernel', 'db'], ports: false, packages: ['@gantry/api'] },
  { part: 'clients', mayImport: ['kernel'], ports: true, packages: ['*'] },
  { part: 'engines', mayImport: ['kernel', 'clients'], ports: true, packages: [] },
  { part: 'builders', mayImport: ['kernel', 'clients'], ports: true, packages: ['*'] },
  { part: 'supervisor', mayImport: ['kernel'], ports: true, packages: [] },
  { part: 'router', mayImport: ['kernel'], ports: true, packages: [] },
  { part: 'http', mayImport: ['kernel', 'rooms'], ports: true, packages: ['*'] },
]

/** What a room may import besides the doors of earlier rooms. */
export const roomWall: Omit<Wall, 'part'> = {
  mayImport: ['kernel', 'db', 'work', 'config'],
  ports: true,
  packages: ['*'],
}

/** Text that must not stand in code, where, and why. `allowed`: files with a reason. */
export const bans: readonly { pattern: RegExp; reason: string; allowed: readonly string[] }[] = [
  {
    pattern: /^import (?!type ).*from '(?:node:)?child_process'/,
    reason: 'processes are started by kernel/spawn-argv.ts alone',
    allowed: ['packages/server/src/kernel/spawn-argv.ts', 'packages/cli/src/kernel/spawn-argv.ts'],
  },
  { pattern: /\bshell:\s*true/, reason: 'no shell on the control path', allowed: [] },
  { pattern: /\b(?:execSync|execFileSync|spawnSync)\(/, reason: 'no blocking processes and no shell', allowed: [] },
  { pattern: /\bnew Function\(|[^.\w]eval\(/, reason: 'no code from text', allowed: [] },
]
