import pg from 'pg'
import { backoffMs } from '../kernel/backoff.ts'
import type { Clock } from '../kernel/clock.ts'
import { isSystemError } from '../kernel/errors.ts'
import type { Logger } from '../kernel/logger.ts'
import type { Database, Queryable, Transaction } from './database.ts'
import { createListener } from './listen.ts'

export interface OpenDatabaseOptions {
  /** `postgres://user:password@host:port/name`, or with a Unix socket's folder: `postgres://user:password@/name?host=/folder`. */
  readonly url: string
  readonly clock: Clock
  readonly logger: Logger
  /** Connections at most; one more is used for LISTEN. Default 10. */
  readonly maxConnections?: number
  /** How long a statement waits for a server that is starting or restarting, in ms. Default 5000. */
  readonly connectTimeoutMs?: number
}

/**
 * Opens the database lazily: nothing is sent before the first statement. A server that is down is waited for a few
 * seconds before a statement fails, because nothing has been sent yet; a statement that has been sent is never repeated.
 *
 * Values: `bigint` comes as a number (an unsafe one is an error), `timestamptz` as a Date, `jsonb` parsed, `bytea` as
 * Buffer. As parameters, arrays become SQL arrays and plain objects JSON; pass a JSON array as `JSON.stringify(value)`.
 * A statement with parameters is prepared once a connection; one without may hold several statements.
 */
export function openDatabase(options: OpenDatabaseOptions): Database {
  const config = clientConfig(options)
  const pool = new pg.Pool({ ...config, max: options.maxConnections ?? 10, idleTimeoutMillis: 30_000 })
  pool.on('error', (error) => options.logger.warn({ error: error.message }, 'an idle database connection was lost'))
  const listener = createListener(() => new pg.Client(config), options)
  const statementName = createStatementNames()
  const connect = () => connectPatiently(pool, options)

  const query: Queryable['query'] = async <Row extends object>(sql: string, parameters?: readonly unknown[]) => {
    const client = await connect()
    return await withClient(client, () => send<Row>(client, statementName, sql, parameters))
  }
  return {
    query,
    transaction: (body) => runTransaction(connect, statementName, body),
    listen: (channel, onNotify) => listener.listen(channel, onNotify),
    close: async () => {
      await listener.close()
      await pool.end()
    },
  }
}

/** Whether an error says that the server could not be reached or went away: try again later. */
export function isDatabaseUnavailable(error: unknown): boolean {
  if (isSystemError(error, 'ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT')) return true
  if (isSystemError(error, 'ENOENT') && error.syscall === 'connect') return true
  if (isSystemError(error, ...unavailableStates)) return true
  return error instanceof Error && /Connection terminated|timeout exceeded when trying to connect/.test(error.message)
}

/** admin_shutdown, crash_shutdown, cannot_connect_now, too_many_connections, connection_exception and its kind. */
const unavailableStates = ['57P01', '57P02', '57P03', '53300', '08000', '08003', '08006', '08001', '08004']
const conflictStates = ['40001', '40P01']

function clientConfig(options: OpenDatabaseOptions): pg.ClientConfig {
  return {
    connectionString: options.url,
    application_name: 'gantry',
    connectionTimeoutMillis: options.connectTimeoutMs ?? 5000,
    statement_timeout: 60_000,
    idle_in_transaction_session_timeout: 60_000,
    keepAlive: true,
    types: { getTypeParser: typeParser as typeof pg.types.getTypeParser },
  }
}

const int8 = 20
const int8Array = 1016

function typeParser(oid: number, format?: 'text' | 'binary'): unknown {
  if (oid === int8 && format !== 'binary') return parseSafeInteger
  if (oid === int8Array && format !== 'binary') {
    const parseTexts = pg.types.getTypeParser(1009 as number) as (text: string) => readonly string[]
    return (text: string) => parseTexts(text).map(parseSafeInteger)
  }
  return pg.types.getTypeParser(oid, format as 'text')
}

function parseSafeInteger(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value)) throw new RangeError(`${text} is larger than a number holds exactly`)
  return value
}

/** Nothing has been sent while a connection is being made, so a refused one may be tried again. */
async function connectPatiently(pool: pg.Pool, options: OpenDatabaseOptions): Promise<pg.PoolClient> {
  const { clock } = options
  const deadline = clock.monotonicMs() + (options.connectTimeoutMs ?? 5000)
  for (let failures = 1; ; failures++) {
    try {
      return await pool.connect()
    } catch (error) {
      const waitMs = backoffMs(failures, 20, 250)
      const isWorthWaiting = isDatabaseUnavailable(error) && !pool.ended && !pool.ending
      if (!isWorthWaiting || clock.monotonicMs() + waitMs > deadline) throw error
      await clock.wait(waitMs)
    }
  }
}

/** Rejects when the database does not answer. */
export async function pingDatabase(db: Queryable): Promise<void> {
  await db.query('select 1')
}

/** Gives the client back, or closes it when its connection broke while it was in use. */
async function withClient<T>(client: pg.PoolClient, use: () => Promise<T>): Promise<T> {
  let broken: Error | undefined
  const onError = (error: Error) => {
    broken = error
  }
  client.on('error', onError)
  try {
    return await use()
  } finally {
    client.removeListener('error', onError)
    client.release(broken ?? false)
  }
}

async function runTransaction<T>(
  connect: () => Promise<pg.PoolClient>,
  statementName: StatementName,
  body: (tx: Transaction) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    const effects: (() => void)[] = []
    try {
      const client = await connect()
      const result = await withClient(client, () => runOnce(client, statementName, effects, body))
      for (const effect of effects) effect()
      return result
    } catch (error) {
      if (attempt === 3 || !isSystemError(error, ...conflictStates)) throw error
    }
  }
}

async function runOnce<T>(
  client: pg.PoolClient,
  statementName: StatementName,
  effects: (() => void)[],
  body: (tx: Transaction) => Promise<T>,
): Promise<T> {
  await client.query('begin')
  const { tx, finish } = openTransaction(client, statementName, effects)
  try {
    const result = await body(tx)
    await finish()
    const end = await client.query('commit')
    // PostgreSQL answers COMMIT of a failed transaction with ROLLBACK and no error
    if (end.command !== 'COMMIT') throw new Error('a statement of the transaction had failed: it was rolled back')
    return result
  } catch (error) {
    await finish()
    await client.query('rollback').catch(() => undefined)
    throw error
  }
}

/** Statements of one transaction go one after the other, and none after its end: the connection is somebody else's then. */
function openTransaction(client: pg.PoolClient, statementName: StatementName, effects: (() => void)[]) {
  let last: Promise<unknown> = Promise.resolve()
  let isOver = false
  const tx: Transaction = {
    query: <Row extends object>(sql: string, parameters?: readonly unknown[]) => {
      if (isOver) return Promise.reject(new Error('this transaction is over'))
      const next = last.then(() => send<Row>(client, statementName, sql, parameters))
      last = next.catch(() => undefined)
      return next
    },
    afterCommit: (effect) => void effects.push(effect),
  }
  const finish = async () => {
    isOver = true
    await last
  }
  return { tx, finish }
}

type StatementName = (sql: string) => string | undefined

/** Names for prepared statements, for as many texts as a program with fixed SQL can have; later ones go unnamed. */
function createStatementNames(limit = 500): StatementName {
  const names = new Map<string, string>()
  return (sql) => {
    const known = names.get(sql)
    if (known !== undefined || names.size >= limit) return known
    const name = `s${names.size + 1}`
    names.set(sql, name)
    return name
  }
}

async function send<Row extends object>(
  client: pg.PoolClient,
  statementName: StatementName,
  sql: string,
  parameters: readonly unknown[] | undefined,
): Promise<Row[]> {
  if (parameters === undefined) {
    const result: pg.QueryResult<Row> | pg.QueryResult<Row>[] = await client.query<Row>(sql)
    return Array.isArray(result) ? (result.at(-1)?.rows ?? []) : result.rows
  }
  const name = statementName(sql)
  const statement = { text: sql, values: [...parameters] }
  const result = await client.query<Row>(name === undefined ? statement : { ...statement, name })
  return result.rows
}
