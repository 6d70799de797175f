import {
  chownSync,
  existsSync,
  lchownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { UserError } from '../../kernel/errors.ts'
import { runArgv, type SpawnArgv } from '../../kernel/spawn-argv.ts'
import type { PostgresBinaries } from './binaries.ts'

export interface DataFolderPlan {
  /** GANTRY_HOME/db. */
  readonly databaseFolder: string
  readonly binaries: PostgresBinaries
  readonly superuserPassword: string
  /** Of the role `gantry`, which owns the database `gantry` and nothing else. */
  readonly password: string
  /** Owner of the data when root. */
  readonly uid: number | undefined
  readonly spawn: SpawnArgv
}

/**
 * Returns the real path of GANTRY_HOME/db/data, made if it is missing: whole, or not at all. Throws `database_too_new` or
 * `database_too_old` when another major version of PostgreSQL wrote it.
 */
export async function openDataFolder(plan: DataFolderPlan): Promise<string> {
  const folder = join(plan.databaseFolder, 'data')
  if (existsSync(join(folder, 'PG_VERSION'))) {
    requireMajor(folder, plan.binaries)
    return realpathSync(folder)
  }
  const unfinished = `${folder}.new`
  rmSync(unfinished, { recursive: true, force: true })
  mkdirSync(unfinished, { mode: 0o700 })
  await initialize(unfinished, plan)
  renameSync(unfinished, folder)
  return realpathSync(folder)
}

function requireMajor(folder: string, { major }: PostgresBinaries): void {
  const text = readFileSync(join(folder, 'PG_VERSION'), 'utf8').trim()
  const found = Number.parseInt(text, 10)
  if (found === major) return
  throw new UserError(
    found > major ? 'database_too_new' : 'database_too_old',
    `The database in ${folder} was made by PostgreSQL ${text}, and this Gantry brings ${major}. ` +
      `Start the Gantry that made it, or restore a backup into an empty GANTRY_HOME.`,
  )
}

/** initdb refuses root and wants a user with a passwd entry: it runs as nobody, and the server's user gets the result. */
async function initialize(folder: string, plan: DataFolderPlan): Promise<void> {
  const as = plan.uid === undefined ? undefined : findNobody()
  if (as) chownSync(folder, as.uid, as.gid)
  const passwordFile = `${folder}.password`
  writeFileSync(passwordFile, `${plan.superuserPassword}\n`, { mode: 0o600 })
  if (as) chownSync(passwordFile, as.uid, as.gid)
  try {
    await runTool('initdb', [...initdbArgs(folder), `--pwfile=${passwordFile}`], undefined, { ...plan, as })
  } finally {
    rmSync(passwordFile, { force: true })
  }
  const create = `CREATE ROLE gantry LOGIN PASSWORD '${plan.password}'\nCREATE DATABASE gantry OWNER gantry\n`
  await runTool('postgres', ['--single', '-D', folder, '-c', 'log_checkpoints=off', 'postgres'], create, {
    ...plan,
    as,
  })
  writeFileSync(
    join(folder, 'postgresql.conf'),
    `include_if_exists '../gantry.conf'\n# What you write below this line wins.\n`,
  )
  if (plan.uid !== undefined) giveTree(folder, plan.uid)
}

function initdbArgs(folder: string): string[] {
  return [
    `--pgdata=${folder}`,
    '--username=postgres',
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--locale=C.UTF-8',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--no-instructions',
  ]
}

interface ToolRun {
  readonly binaries: PostgresBinaries
  readonly spawn: SpawnArgv
  readonly as: { readonly uid: number; readonly gid: number } | undefined
}

async function runTool(name: string, args: readonly string[], input: string | undefined, run: ToolRun): Promise<void> {
  const { exitCode, stdout, stderr } = await runArgv(run.spawn, join(run.binaries.folder, 'bin', name), args, {
    env: { LC_ALL: 'C', PATH: '/usr/bin:/bin', TZ: 'UTC' },
    cwd: run.binaries.folder,
    ...run.as,
    ...(input === undefined ? {} : { input }),
  })
  const said = `${stderr}${stdout.toString()}`
  if (exitCode === 0 && !/^.*(ERROR|FATAL|PANIC):/m.test(stderr)) return
  throw new UserError('database_unavailable', `PostgreSQL could not make its data folder: ${said.trim().slice(-2000)}`)
}

function findNobody(): { uid: number; gid: number } {
  const fields = /^nobody:[^:]*:(\d+):(\d+):/m.exec(readFileSync('/etc/passwd', 'utf8'))
  if (fields) return { uid: Number(fields[1]), gid: Number(fields[2]) }
  throw new UserError(
    'program_missing',
    'PostgreSQL cannot be set up as root without the user nobody, which /etc/passwd of this machine lacks. Add it, or set DATABASE_URL.',
  )
}

function giveTree(path: string, uid: number): void {
  lchownSync(path, uid, uid)
  for (const entry of readdirSync(path, { withFileTypes: true, recursive: true })) {
    lchownSync(join(entry.parentPath, entry.name), uid, uid)
  }
}
