import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { it } from 'node:test'
import { createTestDatabase } from './support/database.ts'
import { dumpSchema } from './support/dump-schema.ts'

it('db/schema.sql is what the migrations make (npm run schema writes it)', async () => {
  const test = await createTestDatabase()
  const written = await readFile(new URL('../src/db/schema.sql', import.meta.url), 'utf8')
  assert.equal(written, await dumpSchema(test.db))
  await test.close()
})
