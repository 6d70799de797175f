import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { createEmptyDatabase, createTestDatabase, type TestDatabase } from '../../test/support/database.ts'
import { silentLogger } from '../kernel/logger.ts'
import { migrate, readMigrations } from './migrate.ts'

describe('the database', () => {
  let test: TestDatabase
  before(async () => {
    test = await createTestDatabase()
    await test.db.query('create table things (n bigint primary key, at timestamptz, data jsonb)')
  })
  after(() => test.close())

  it('returns numbers, dates and parsed JSON', async () => {
    const at = new Date('2026-01-02T03:04:05.678Z')
    const [row] = await test.db.query('insert into things values ($1, $2, $3) returning *, array[n] as many', [
      2 ** 40,
      at,
      { a: [1] },
    ])
    assert.deepEqual(row, { n: 2 ** 40, at, data: { a: [1] }, many: [2 ** 40] })
  })

  it('refuses an integer that a number cannot hold', async () => {
    await assert.rejects(test.db.query('select 9007199254740993::bigint as n'), RangeError)
    assert.deepEqual(await test.db.query('select 1 as n'), [{ n: 1 }])
  })

  it('rolls back a transaction that throws, and runs no effect of it', async () => {
    let effects = 0
    const failing = test.db.transaction(async (tx) => {
      tx.afterCommit(() => effects++)
      await tx.query('insert into things values ($1)', [7])
      throw new Error('stop')
    })
    await assert.rejects(failing, /stop/)
    assert.deepEqual(await test.db.query('select n from things where n = $1', [7]), [])
    assert.equal(effects, 0)
  })

  it('fails a transaction that swallowed the error of a statement', async () => {
    const swallowing = test.db.transaction(async (tx) => {
      await tx.query('insert into things values ($1)', [8])
      await tx.query('select 1/0').catch(() => undefined)
    })
    await assert.rejects(swallowing, /rolled back/)
    assert.deepEqual(await test.db.query('select n from things where n = $1', [8]), [])
  })

  it('runs the statements of one transaction in order, and refuses one after its end', async () => {
    let leaked: Promise<unknown> = Promise.resolve()
    await test.db.transaction(async (tx) => {
      const rows = await Promise.all([1, 2, 3].map((n) => tx.query('select $1::int as n', [n])))
      assert.deepEqual(rows.flat(), [{ n: 1 }, { n: 2 }, { n: 3 }])
      leaked = new Promise((resolve) => setImmediate(() => resolve(tx.query('select 1').catch((error) => error))))
    })
    assert.match(String(await leaked), /over/)
  })

  it('tries a serialization failure again', async () => {
    let attempts = 0
    const value = await test.db.transaction(async (tx) => {
      attempts++
      if (attempts < 3) await tx.query("do $$ begin raise exception 'again' using errcode = '40001'; end $$")
      return 'done'
    })
    assert.deepEqual([value, attempts], ['done', 3])
  })

  it('hears notifications, also after its connection was lost', { timeout: 20_000 }, async () => {
    const heard: string[] = []
    let wake: () => void = () => undefined
    const stop = await test.db.listen('Odd "channel"', (payload) => {
      heard.push(payload)
      wake()
    })
    const hears = async (text: string) => {
      while (!heard.includes(text)) {
        const next = new Promise<void>((resolve) => {
          wake = resolve
          setTimeout(resolve, 50).unref()
        })
        await test.db.query('select pg_notify($1, $2)', ['Odd "channel"', text])
        await next
      }
    }
    await hears('one')
    await test.db.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where query like 'listen%' and datname = current_database()`,
    )
    await hears('two')
    await stop()
  })
})

describe('migrate', () => {
  it('is done once, however many programs do it at the same time', async () => {
    const test = await createEmptyDatabase()
    const migrations = await readMigrations()
    await Promise.all([1, 2, 3, 4].map(() => migrate(test.db, migrations, silentLogger)))
    const rows = await test.db.query('select version, name from migrations order by version')
    assert.deepEqual(
      rows,
      migrations.map(({ version, name }) => ({ version, name })),
    )
    await test.close()
  })

  it('leaves nothing of a migration that fails', async () => {
    const test = await createEmptyDatabase()
    const broken = [{ version: 1, name: '0001-broken', sql: 'create table a (n int); create table a (n int)' }]
    await assert.rejects(migrate(test.db, broken, silentLogger), /already exists/)
    assert.deepEqual(await test.db.query("select to_regclass('a') as a"), [{ a: null }])
    await test.close()
  })

  it('refuses a database that a newer program has migrated, and changes nothing', async () => {
    const test = await createTestDatabase()
    await test.db.query('insert into migrations values ($1, $2, now())', [9999, '9999-future'])
    const refused = migrate(test.db, await readMigrations(), silentLogger)
    await assert.rejects(refused, { name: 'UserError', code: 'database_too_new', message: /9999.*git pull/s })
    await test.close()
  })
})
