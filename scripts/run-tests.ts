/**
 * Runs node:test over patterns with one PostgreSQL for all files: `run-tests.ts [options of node --test] PATTERN...`.
 * Tests that need a server of their own, or none, are not affected.
 */
import { spawn } from 'node:child_process'
import { startTestPostgres } from '../packages/server/test/support/postgres.ts'
import { root } from './install.mjs'

const database = process.env.GANTRY_TEST_DATABASE_URL ? undefined : await startTestPostgres()
const child = spawn(process.execPath, ['--conditions=gantry-source', '--test', ...process.argv.slice(2)], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, ...(database && { GANTRY_TEST_DATABASE_URL: database.url }) },
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal))
child.once('exit', (code) => process.exit(code ?? 1)) // ends the server too, see startTestPostgres
