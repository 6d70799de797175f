import assert from 'node:assert/strict'
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { type Clock, systemClock } from '../../kernel/clock.ts'
import { silentLogger } from '../../kernel/logger.ts'
import { createLineSplitter } from './line-splitter.ts'
import {
  capGroupOf,
  formatLineId,
  isStreamName,
  maxTextBytes,
  parseLine,
  parseLineId,
  segmentBytes,
} from './log-format.ts'
import { createOutput } from './output.ts'

describe('lines', () => {
  test('are cut at newlines, over chunks, with the unfinished one at the end', () => {
    const splitter = createLineSplitter()
    assert.deepEqual(splitter.push(Buffer.from('a\nb')), ['a'])
    assert.deepEqual(splitter.push(Buffer.from('c\r\n\nd')), ['bc', ''])
    assert.equal(splitter.pending, true)
    assert.deepEqual(splitter.flush(), ['d'])
    assert.deepEqual(splitter.flush(), [])
  })

  test('are cut at 16 KiB, never inside a character, and lose nothing', () => {
    const splitter = createLineSplitter()
    const text = `a${'ü€😀'.repeat(10_000)}`
    const lines = [...Buffer.from(text)].length > 0 ? splitter.push(Buffer.from(text)) : []
    lines.push(...splitter.flush())
    assert.equal(lines.join(''), text)
    assert.ok(lines.length > 5)
    for (const line of lines) assert.ok(Buffer.byteLength(line) <= maxTextBytes)
  })

  test('keep control characters but no carriage return, and replace what is not UTF-8', () => {
    const splitter = createLineSplitter()
    assert.deepEqual(splitter.push(Buffer.from([0x1b, 0x5b, 0x0d, 0xff, 0x0a])), ['\u001b[ \ufffd'])
  })

  test('parse back, and ids too', () => {
    const parts = { at: '2026-01-02T03:04:05.678Z', source: 'web.1', text: 'a  b ' }
    assert.deepEqual(parseLine('2026-01-02T03:04:05.678Z web.1 a  b '), parts)
    assert.deepEqual(parseLine('2026-01-02T03:04:05.678Z web.1 '), { ...parts, text: '' })
    assert.equal(parseLine('torn'), undefined)
    assert.deepEqual(parseLineId(formatLineId({ segment: 3, offset: 77 })), { segment: 3, offset: 77 })
    assert.equal(parseLineId('3-'), undefined)
  })

  test('stream names are paths only of the expected form', () => {
    assert.equal(isStreamName('app/app-1/env-1'), true)
    for (const name of ['', '/etc', 'app/../x', 'app//x', 'app', 'app/x/', 'app/.x'])
      assert.equal(isStreamName(name), false, name)
    assert.equal(capGroupOf('app/app-1/env-1'), 'app/app-1')
    assert.equal(capGroupOf('build/app-1/bld-1'), 'build/app-1/bld-1')
  })
})

describe('segment files', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'gantry-test-output-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  const target = { stream: 'app/app-1/env-1', source: 'web.1', maxStreamBytes: 3 * segmentBytes }
  const read = (stream: string): string[] => {
    const path = join(folder, stream)
    const text = readdirSync(path)
      .sort()
      .map((name) => readFileSync(join(path, name), 'utf8'))
      .join('')
    assert.ok(text.endsWith('\n'))
    return text.trimEnd().split('\n')
  }
  const unlimited = { bytesPerSecond: 1e12, burstBytes: 1e12 }
  const open = (rate: { bytesPerSecond: number; burstBytes: number }, clock: Clock = systemClock) =>
    createOutput({ folder, reader: undefined, clock, log: silentLogger, ...rate })
  const kilobyte = 'x'.repeat(1000)

  test('are continued by the next writer, after a torn line', () => {
    const first = open(unlimited)
    first.write(target, ['one'])
    first.close()
    appendFileSync(join(folder, target.stream, '00000001.log'), '2026-01-02T03:04:05.678Z web.1 torn')
    const second = open(unlimited)
    second.write(target, ['two'])
    second.close()
    assert.deepEqual(
      read(target.stream).map((line) => parseLine(line)?.text),
      ['one', 'torn', 'two'],
    )
  })

  test('roll at 1 MiB, and the oldest go when the cap is reached', () => {
    const output = open(unlimited)
    for (let i = 0; i < 80; i++)
      output.write(
        target,
        Array.from({ length: 100 }, (_, n) => `${i}.${n} ${kilobyte}`),
      )
    output.close()
    const path = join(folder, target.stream)
    const sizes = readdirSync(path).map((name) => statSync(join(path, name)).size)
    assert.ok(
      sizes.every((size) => size <= segmentBytes + 300_000),
      String(sizes),
    )
    assert.ok(sizes.reduce((a, b) => a + b) <= target.maxStreamBytes + segmentBytes)
    assert.ok(sizes.length >= 2)
    assert.match(read(target.stream).at(-1) ?? '', / 79\.99 /)
    assert.ok(!readdirSync(path).includes('00000001.log'))
  })

  test('share the cap of their app', () => {
    const output = open(unlimited)
    const other = { ...target, stream: 'app/app-1/env-2' }
    const neighbour = { ...target, stream: 'app/app-2/env-3' }
    const fill = (to: typeof target) => {
      for (let i = 0; i < 30; i++)
        output.write(
          to,
          Array.from({ length: 100 }, () => kilobyte),
        )
    }
    fill(neighbour)
    fill(target)
    fill(other)
    fill(other)
    output.close()
    const sizeOf = (stream: string) =>
      readdirSync(join(folder, stream)).reduce((sum, name) => sum + statSync(join(folder, stream, name)).size, 0)
    assert.ok(sizeOf(target.stream) + sizeOf(other.stream) <= target.maxStreamBytes + 2 * segmentBytes)
    assert.ok(sizeOf(neighbour.stream) > 2_900_000, 'another app keeps its own')
  })

  test('count what is dropped, and go on when the rate allows it', () => {
    let ms = 0
    const clock = { ...systemClock, monotonicMs: () => ms }
    const output = open({ bytesPerSecond: 10_000, burstBytes: 20_000 }, clock)
    output.write(
      target,
      Array.from({ length: 100 }, () => kilobyte),
    )
    ms = 60_000
    output.write(target, ['after'])
    output.close()
    const lines = read(target.stream).map((line) => parseLine(line))
    const kept = lines.filter((line) => line?.text === kilobyte).length
    assert.ok(kept >= 15 && kept <= 20, String(kept))
    const dropped = 100 - kept
    assert.deepEqual(
      lines.slice(kept).map((line) => [line?.source, line?.text]),
      [
        ['gantry', `dropped ${dropped} lines (${dropped * 1001} bytes): more than 10 KiB a second`],
        ['web.1', 'after'],
      ],
    )
  })

  test('are removed by stream and by prefix', () => {
    const output = open(unlimited)
    output.write(target, ['x'])
    output.write({ ...target, stream: 'app/app-10/env-1' }, ['x'])
    output.removeStream('app/app-1')
    assert.deepEqual(readdirSync(join(folder, 'app')), ['app-10'])
    assert.throws(() => output.removeStream('app/../x'), /not a stream/)
    output.write(target, ['again'])
    output.close()
    assert.deepEqual(
      read(target.stream).map((line) => parseLine(line)?.text),
      ['again'],
    )
  })

  test('that cannot be written cost lines and never the writer', () => {
    mkdirSync(join(folder, 'app'))
    writeFileSync(join(folder, 'app/app-1'), 'in the way')
    const output = open(unlimited)
    output.write(target, ['lost'])
    output.write({ ...target, stream: 'app/app-2/env-1' }, ['kept'])
    output.close()
    assert.deepEqual(
      read('app/app-2/env-1').map((line) => parseLine(line)?.text),
      ['kept'],
    )
  })
})
