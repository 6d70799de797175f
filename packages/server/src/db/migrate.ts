import { readdir, readFile } from 'node:fs/promises'
import { UserError } from '../kernel/errors.ts'
import type { Logger } from '../kernel/logger.ts'
import type { Database, Queryable } from './database.ts'

export interface Migration {
  /** The file's number: `1` of `0001-first.sql`. */
  readonly version: number
  readonly name: string
  readonly sql: string
}

/** The advisory lock that one migrator holds at a time: "gantry" in ASCII. */
const lockKey = 0x67616e747279

/**
 * Brings the schema up to date: every migration that the database has not seen, in order, each in a transaction of its
 * own. Any number of programs may do this at once. A database that a newer program has migrated is refused untouched, and
 * so is one that cannot be reached or whose server is too old.
 */
export async function migrate(db: Database, migrations: readonly Migration[], logger: Logger): Promise<void> {
  const newest = migrations.at(-1)?.version ?? 0
  await refuseOldServer(db)
  await refuseNewer(db, newest)
  for (const migration of migrations) {
    const isApplied = await db.transaction((tx) => applyOnce(tx, migration, newest))
    if (isApplied) logger.info({ version: migration.version, name: migration.name }, 'the database was migrated')
  }
}

/** The migrations that come with this program: `db/migrations/NNNN-name.sql`, in order and without a gap. */
export async function readMigrations(folder: URL = new URL('./migrations/', import.meta.url)): Promise<Migration[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort()
  return await Promise.all(
    names.map(async (name, index) => {
      const version = Number(/^(\d{4})-[-a-z0-9]+\.sql$/.exec(name)?.[1])
      if (version !== index + 1) throw new Error(`migration ${name}: expected the number ${index + 1}`)
      return { version, name: name.slice(0, -4), sql: await readFile(new URL(name, folder), 'utf8') }
    }),
  )
}

async function applyOnce(tx: Queryable, migration: Migration, newest: number): Promise<boolean> {
  await tx.query('select pg_advisory_xact_lock($1)', [lockKey])
  await tx.query(
    'create table if not exists migrations (version integer primary key, name text not null, applied_at timestamptz not null)',
  )
  await refuseNewer(tx, newest)
  const known = await tx.query('select 1 from migrations where version = $1', [migration.version])
  if (known.length > 0) return false
  await tx.query('set local statement_timeout = 0')
  await tx.query(migration.sql)
  await tx.query('insert into migrations values ($1, $2, now())', [migration.version, migration.name])
  return true
}

const oldestServer = 15

/** The first statement of all: it also finds out that nobody answers. */
async function refuseOldServer(db: Queryable): Promise<void> {
  const [row] = await db.query<{ number: number; name: string }>(
    "select current_setting('server_version_num')::int as number, current_setting('server_version') as name",
  )
  if (row && row.number >= oldestServer * 10_000) return
  throw new UserError(
    'database_too_old',
    `The database server is PostgreSQL ${row?.name}, and Gantry needs version ${oldestServer} or newer. Upgrade it, or leave ` +
      'DATABASE_URL unset: Gantry then brings its own. Nothing was changed.',
  )
}

async function refuseNewer(db: Queryable, newest: number): Promise<void> {
  const [exists] = await db.query<{ there: boolean }>("select to_regclass('migrations') is not null as there")
  if (!exists?.there) return
  const [row] = await db.query<{ version: number | null }>('select max(version) as version from migrations')
  const version = row?.version ?? 0
  if (version <= newest) return
  throw new UserError(
    'database_too_new',
    `The database has schema version ${version}, and this Gantry knows versions up to ${newest}: a newer Gantry has used it. ` +
      'Start that newer version again (git pull, then npm run up), or restore a backup from before the upgrade. Nothing was changed.',
  )
}
