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
] as const

/** Files that one part alone may read. git is not one vendor among several: `source` speaks its protocol through the client. */
export const privatePorts: Readonly<Record<string, readonly string[]>> = { source: ['clients/git/index.ts'] }

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
  { part: 'clients', mayImport: ['kernel'], ports: true, packages: [] },
  { part: 'engines', mayImport: ['kernel', 'clients'], ports: true, packages: [] },
  { part: 'builders', mayImport: ['kernel'], ports: true, packages: ['semver'] },
  { part: 'supervisor', mayImport: ['kernel'], ports: true, packages: [] },
  { part: 'router', mayImport: ['kernel'], ports: true, packages: [] },
  {
    part: 'http',
    mayImport: ['kernel', 'rooms'],
    ports: true,
    packages: ['@gantry/api', 'fastify', '@scalar/fastify-api-reference'],
  },
]

/** What a room may import besides the doors of earlier rooms. */
export const roomWall: Omit<Wall, 'part'> = {
  mayImport: ['kernel', 'db', 'work'],
  ports: true,
  packages: ['@gantry/api', 'modern-tar'],
}

/** Text that must not stand in code, where, and why. */
export interface Ban {
  readonly pattern: RegExp
  readonly reason: string
  /** Files that it is about; all when absent. */
  readonly within?: RegExp
  readonly except?: RegExp
}

export const bans: readonly Ban[] = [
  {
    pattern: /^import (?!type ).*from '(?:node:)?child_process'/,
    reason: 'processes are started by kernel/spawn-argv.ts alone',
    except: /\/kernel\/spawn-argv\.ts$/,
  },
  { pattern: /\bshell:\s*true/, reason: 'no shell on the control path' },
  { pattern: /\b(?:execSync|execFileSync|spawnSync)\(/, reason: 'no blocking processes and no shell' },
  { pattern: /\bnew Function\(|[^.\w]eval\(/, reason: 'no code from text' },
  {
    pattern: /\.query[<(]|\bqueryPage[<(]/,
    reason: 'SQL is written in stores, `*-store.ts`',
    within: /^packages\/server\/src\//,
    except: /-store\.ts$|\/src\/db\//,
  },
  {
    pattern: /\b(?:Date\.now|Math\.random|performance\.now)\b|\bnew Date\(\)|^import .*\brandom\w+.*'node:crypto'/,
    reason: 'time and randomness are passed in as deps',
    within: /^packages\/server\/src\//,
    // where parts are put together, and names of files that need nothing but to be new
    except: /\/src\/(?:kernel\/|compose|[^/]+\/[a-z]+-main\.ts)|-contract\.ts$|\/supervisor\/files\/trash\.ts$/,
  },
]
