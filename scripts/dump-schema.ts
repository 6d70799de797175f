import { writeFileSync } from 'node:fs'
import { createTestDatabase } from '../packages/server/test/support/database.ts'
import { dumpSchema } from '../packages/server/test/support/dump-schema.ts'

const test = await createTestDatabase()
const file = new URL('../packages/server/src/db/schema.sql', import.meta.url)
writeFileSync(file, await dumpSchema(test.db))
await test.close()
console.log('wrote packages/server/src/db/schema.sql')
