import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { createEmptyDatabase, createTestDatabase, type TestDatabase } from '../../test/support/database.ts'
import { migrate, readMigrations } from '../db/migrate.ts'
import { systemClock } from '../kernel/clock.ts'
import { silentLogger } from '../kernel/logger.ts'
import { createKeyFiles } from './key-files.ts'
import { openKeyRing } from './master-key.ts'
import { createSecretBox, keyIdOf } from './secret-box.ts'

const context = { environmentId: 'env-1', name: 'API_KEY' }

describe('the master key at start', () => {
  let test: TestDatabase
  let folder: string
  before(async () => {
    test = await createTestDatabase()
    folder = await mkdtemp(join(tmpdir(), 'gantry-test-keys-'))
  })
  after(async () => {
    await rm(folder, { recursive: true })
    await test.close()
  })
  const start = (db = test.db) => openKeyRing({ db, clock: systemClock, files: createKeyFiles(folder), randomBytes })

  it('is a private file, and nothing starts with another one or none', async () => {
    const path = join(folder, 'master.key')
    const ring = await start()
    const sealed = ring.seal('secret', context)
    assert.equal((await stat(path)).mode & 0o777, 0o600)
    assert.equal((await start()).open(sealed, context), 'secret')

    const right = await readFile(path)
    const wrong = randomBytes(32)
    await writeFile(path, wrong.toString('hex'))
    const named = new RegExp(`master key ${ring.current}, .*master.key is another one, ${keyIdOf(wrong)}.*Put that key`)
    await assert.rejects(start(), { code: 'wrong_master_key', message: named })
    await rm(path)
    await assert.rejects(start(), { code: 'wrong_master_key', message: /no key at all/ })
    await writeFile(path, 'nonsense')
    await assert.rejects(start(), { code: 'wrong_master_key', message: /master.key is no key \(64/ })
    await writeFile(join(folder, 'master-from-the-safe.key'), right)
    assert.equal((await start()).open(sealed, context), 'secret')
    await rm(join(folder, 'master-from-the-safe.key'))
    await writeFile(path, right)
  })

  it('goes on being that of a database from before keys could be rotated, and of its values', async () => {
    const old = await createEmptyDatabase()
    const migrations = await readMigrations()
    await migrate(old.db, migrations.slice(0, 3), silentLogger)
    const key = Buffer.from((await readFile(join(folder, 'master.key'), 'utf8')).trim(), 'hex')
    await old.db.query("insert into platform values ('master_key_id', $1)", [keyIdOf(key)])
    await insertValue(old, createSecretBox(key, randomBytes).seal('secret', context))
    await migrate(old.db, migrations, silentLogger)
    const [row] = await old.db.query<{ ciphertext: Buffer; key_id: string }>('select * from config_values')
    assert.ok(row)
    assert.equal(row.key_id, keyIdOf(key))
    const ring = await start(old.db)
    assert.equal(ring.current, keyIdOf(key))
    assert.equal(ring.open(row.ciphertext, context), 'secret')
    await old.close()
  })

  it('is two during a rotation, of which the old one may only be missing when nothing needs it', async () => {
    const path = join(folder, 'master.key')
    const right = await readFile(path)
    const old = (await start()).current
    await insertValue(test, (await start()).seal('secret', context))
    const next = randomBytes(32)
    await createKeyFiles(folder).write(next, 'later')
    await test.db.query('update master_keys set is_current = false')
    await test.db.query('insert into master_keys values ($1, true, now())', [keyIdOf(next)])
    assert.ok((await start()).has(old))
    await rm(path)
    await assert.rejects(start(), {
      code: 'wrong_master_key',
      message: new RegExp(`being rotated, .*the one before, ${old}`),
    })
    await test.db.query('delete from config_values')
    assert.equal((await start()).current, keyIdOf(next))
    await writeFile(path, right)
    await rm(join(folder, `master-${keyIdOf(next)}.key`))
    await assert.rejects(start(), { code: 'wrong_master_key', message: new RegExp(`master key ${keyIdOf(next)}`) })
  })
})

/** One value of config, without the team, app and environment around it. */
async function insertValue({ db }: TestDatabase, ciphertext: Uint8Array): Promise<void> {
  await db.transaction(async (tx) => {
    await tx.query("set local session_replication_role = 'replica'")
    await tx.query("insert into configs values ('cfg-1', 'tea-1', 'env-1', 'run', 1, 'owner', now())")
    await tx.query("insert into config_values (config_id, name, ciphertext) values ('cfg-1', 'API_KEY', $1)", [
      Buffer.from(ciphertext),
    ])
  })
}
