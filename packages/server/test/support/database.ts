import { createHash, randomBytes } from 'node:crypto'
import type { Database } from '../../src/db/database.ts'
import { migrate, readMigrations } from '../../src/db/migrate.ts'
import { openDatabase } from '../../src/db/open-database.ts'
import { systemClock } from '../../src/kernel/clock.ts'
import { silentLogger } from '../../src/kernel/logger.ts'
import { startTestPostgres } from './postgres.ts'

export interface TestDatabase {
  readonly db: Database
  readonly url: string
  /** Closes every connection and drops the database. */
  close(): Promise<void>
}

/**
 * An empty, migrated database of its own for one test or one file of tests. The server is that of
 * `GANTRY_TEST_DATABASE_URL` (a user who may create databases), else an embedded one shared by this process.
 */
export async function createTestDatabase(): Promise<TestDatabase> {
  const test = await createEmptyDatabase(await template())
  return test
}

/** A database without any table: for tests of the migrations themselves. */
export async function createEmptyDatabase(from = 'template0'): Promise<TestDatabase> {
  const name = `gantry_test_${process.pid}_${randomBytes(6).toString('hex')}`
  await withAdmin((admin) => admin.query(`create database ${name} template ${from} strategy file_copy`))
  const url = withDatabase(await serverUrl(), name)
  const db = open(url)
  let isClosed = false
  return {
    db,
    url,
    async close() {
      if (isClosed) return
      isClosed = true
      await db.close()
      await withAdmin((admin) => admin.query(`drop database if exists ${name} with (force)`))
    },
  }
}

const shared: { url?: Promise<string>; template?: Promise<string> } = {}

function serverUrl(): Promise<string> {
  const given = process.env.GANTRY_TEST_DATABASE_URL
  shared.url ??= given ? Promise.resolve(given) : startTestPostgres().then((server) => server.url)
  return shared.url
}

function template(): Promise<string> {
  shared.template ??= makeTemplate()
  return shared.template
}

/** Made once a server and set of migrations, whichever of several test processes comes first. */
async function makeTemplate(): Promise<string> {
  const migrations = await readMigrations()
  const digest = createHash('sha256').update(JSON.stringify(migrations)).digest('hex').slice(0, 16)
  const name = `gantry_template_${digest}`
  const url = await serverUrl()
  await withAdmin(async (admin) => {
    await admin.query('select pg_advisory_lock(7461)')
    const known = await admin.query('select 1 from pg_database where datname = $1', [name])
    if (known.length > 0) return
    await admin.query(`drop database if exists ${name}_new with (force)`)
    await admin.query(`create database ${name}_new template template0 strategy file_copy`)
    const db = open(withDatabase(url, `${name}_new`))
    await migrate(db, migrations, silentLogger)
    await db.close()
    await admin.query(`alter database ${name}_new rename to ${name}`)
  })
  return name
}

/** One connection, so that a session's lock covers the whole body. */
async function withAdmin<T>(body: (admin: Database) => Promise<T>): Promise<T> {
  const admin = openDatabase({ url: await serverUrl(), clock: systemClock, logger: silentLogger, maxConnections: 1 })
  try {
    return await body(admin)
  } finally {
    await admin.close()
  }
}

function open(url: string): Database {
  return openDatabase({ url, clock: systemClock, logger: silentLogger, maxConnections: 10 })
}

function withDatabase(url: string, name: string): string {
  return url.replace(/^(postgres(?:ql)?:\/\/[^/]*\/)[^?]*/, `$1${name}`)
}
