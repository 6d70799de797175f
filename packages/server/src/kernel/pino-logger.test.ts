import assert from 'node:assert/strict'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it } from 'node:test'
import { createPinoLogger } from './pino-logger.ts'

it('has written a line by the time it returns: level, time, event, facts, causes', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gantry-test-'))
  const fd = openSync(join(folder, 'log'), 'w')
  const logger = createPinoLogger({ level: 'info', fd })
  logger.debug({}, 'too detailed')
  logger.child({ app: 'shop' }).error({ err: new Error('outer', { cause: new Error('inner') }) }, 'it broke')
  const [line, ...more] = readFileSync(join(folder, 'log'), 'utf8').trim().split('\n')
  closeSync(fd)
  rmSync(folder, { recursive: true })
  assert.deepEqual(more, [])
  const entry = JSON.parse(line ?? '')
  assert.equal(entry.level, 'error')
  assert.equal(entry.event, 'it broke')
  assert.equal(entry.app, 'shop')
  assert.match(entry.at, /^\d{4}-.*Z$/)
  assert.match(entry.err.stack, /outer[\s\S]*inner/)
})
