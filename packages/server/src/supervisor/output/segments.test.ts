import assert from 'node:assert/strict'
import { closeSync, fstatSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { segmentBytes, segmentName } from './log-format.ts'
import { openSegments } from './segments.ts'

describe('the segments of a stream', () => {
  let logs: string
  before(() => {
    logs = mkdtempSync(join(tmpdir(), 'segments-'))
  })
  after(() => rmSync(logs, { recursive: true }))

  test('go on in the old one when a new one cannot be opened, and touch no file of anybody else', () => {
    const writer = openSegments(logs, 'app/one', undefined)
    const line = Buffer.from(`${'x'.repeat(segmentBytes - 1)}\n`)
    writer.write(line)
    const inTheWay = join(logs, 'app/one', segmentName(2))
    mkdirSync(inTheWay)
    assert.throws(() => writer.write(line), { code: 'EISDIR' })
    const others = [openSync('/dev/null', 'r'), openSync('/dev/null', 'r')]
    assert.throws(() => writer.write(line), { code: 'EISDIR' })
    for (const fd of others) assert.ok(fstatSync(fd).isCharacterDevice())
    for (const fd of others) closeSync(fd)
    rmdirSync(inTheWay)
    assert.equal(writer.write(line), true)
    assert.equal(readFileSync(inTheWay).length, segmentBytes)
    writer.close()
  })
})
