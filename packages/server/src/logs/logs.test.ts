import assert from 'node:assert/strict'
import { appendFile, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { type Clock, systemClock } from '../kernel/clock.ts'
import { UserError } from '../kernel/errors.ts'
import { silentLogger } from '../kernel/logger.ts'
import { formatLine, segmentName } from '../supervisor/output/log-format.ts'
import type { LogAppender } from './append-lines.ts'
import { createLogs, type Logs } from './logs.ts'
import { logReplies } from './reply-logs.ts'

const stream = 'app/app-1/env-1'
const at = (second: number): string => new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString()

/** Never sleeps: what waits for it goes on at the next turn of the event loop. */
const eagerClock: Clock = { ...systemClock, wait: () => new Promise((resolve) => setImmediate(resolve)) }

describe('logs', () => {
  let folder: string
  let logs: Logs
  const write = async (segment: number, ...lines: [second: number, source: string, text: string][]): Promise<void> => {
    await mkdir(join(folder, stream), { recursive: true })
    const text = lines.map(([second, source, message]) => formatLine(at(second), source, message)).join('')
    await appendFile(join(folder, stream, segmentName(segment)), text)
  }
  const noAppender: LogAppender = { append: async () => undefined, removeStream: async () => undefined }
  const open = (appender = noAppender, clock = systemClock): Logs =>
    createLogs({ folder, appender, clock, log: silentLogger })

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gantry-test-'))
    logs = open()
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  const texts = (lines: readonly { message: string }[]): string[] => lines.map((line) => line.message)

  it('gives a missing stream as an empty one', async () => {
    assert.deepEqual(await logs.page(stream, { limit: 10 }), { lines: [] })
    assert.deepEqual(await logs.last(stream, 10), [])
  })

  it('refuses a name that would leave the folder', async () => {
    for (const name of ['../keys', 'app/../../x', '/etc/passwd', 'app', 'app/app-1/..', 'app//x', 'app/a\0b']) {
      await assert.rejects(logs.page(name, { limit: 1 }), RangeError, name)
    }
  })

  it('pages through segments in order, without a gap or a double', async () => {
    await write(1, [1, 'web.1', 'one'], [2, 'web.2', 'zwei ü'], [3, 'web.1', ''])
    await write(2, [4, 'web.1', 'four'])
    await write(4, [5, 'gantry', 'five'])
    const seen: string[] = []
    for (let start: string | undefined; ; ) {
      const page = await logs.page(stream, { limit: 2, start })
      seen.push(...texts(page.lines))
      start = page.next
      if (start === undefined) break
    }
    assert.deepEqual(seen, ['one', 'zwei ü', '', 'four', 'five'])
  })

  it('does not show a line before its end is written', async () => {
    await write(1, [1, 'web.1', 'whole'])
    await appendFile(join(folder, stream, segmentName(1)), '2026-01-01T00:00:02.000Z web.1 ha')
    assert.deepEqual(texts((await logs.page(stream, { limit: 9 })).lines), ['whole'])
    await appendFile(join(folder, stream, segmentName(1)), 'lf\n')
    assert.deepEqual(texts((await logs.page(stream, { limit: 9 })).lines), ['whole', 'half'])
  })

  it('filters by source, process type and time', async () => {
    await write(1, [1, 'web.1', 'a'], [2, 'worker.1', 'b'], [3, 'webhook.1', 'c'])
    await write(2, [4, 'web.2', 'd'], [5, 'web.1', 'e'])
    assert.deepEqual(texts((await logs.page(stream, { limit: 9, source: 'web' })).lines), ['a', 'd', 'e'])
    assert.deepEqual(texts((await logs.page(stream, { limit: 9, source: 'web.1' })).lines), ['a', 'e'])
    assert.deepEqual(texts((await logs.page(stream, { limit: 9, since: new Date(at(4)) })).lines), ['d', 'e'])
    assert.deepEqual(texts(await logs.last(stream, 2, 'web')), ['d', 'e'])
  })

  it('begins with the last lines when asked for a tail', async () => {
    await write(1, [1, 'web.1', 'a'], [2, 'web.1', 'b'])
    await write(2, [3, 'web.1', 'c'])
    assert.deepEqual(texts((await logs.page(stream, { limit: 9, tail: 2 })).lines), ['b', 'c'])
    assert.deepEqual(texts((await logs.page(stream, { limit: 9, tail: 0 })).lines), [])
  })

  it('goes on at the oldest line kept when the page token points to a segment that is gone', async () => {
    await write(5, [1, 'web.1', 'kept'])
    assert.deepEqual(texts((await logs.page(stream, { limit: 9, start: '2-100' })).lines), ['kept'])
  })

  it('names the parameter of a malformed token', async () => {
    for (const start of ['', 'x', '1', '1-', '-1', '1-2-3', '../1-1', '99999999999999999999-1']) {
      await assert.rejects(
        logs.page(stream, { limit: 9, start }),
        (error) => error instanceof UserError && error.code === 'invalid_page_token',
        start,
      )
    }
  })

  it('follows: what is there, what is written, over a new segment', async () => {
    const stop = new AbortController()
    const seen: string[] = []
    await write(1, [1, 'web.1', 'a'])
    for await (const line of logs.follow(stream, { signal: stop.signal })) {
      seen.push(line.message)
      if (line.message === 'a') await write(1, [2, 'web.1', 'b'])
      if (line.message === 'b') await write(2, [3, 'web.1', 'c'])
      if (line.message === 'c') stop.abort()
    }
    assert.deepEqual(seen, ['a', 'b', 'c'])
  })

  it('follows a stream that does not exist yet', async () => {
    const stop = new AbortController()
    const reading = (async () => {
      for await (const line of logs.follow(stream, { signal: stop.signal })) return line.message
      return undefined
    })()
    await write(1, [1, 'web.1', 'first'])
    assert.equal(await reading, 'first')
    stop.abort()
  })

  it('refuses an id that is none before the first line is asked for', () => {
    const { signal } = new AbortController()
    assert.throws(() => logs.followAll('app/env-0', { afterId: 'nonsense', signal }), { code: 'invalid_header' })
  })

  it('resumes behind a line id, and at the oldest line when that one is gone', async () => {
    await write(3, [1, 'web.1', 'a'], [2, 'web.1', 'b'], [3, 'web.1', 'c'])
    const [first] = (await logs.page(stream, { limit: 1 })).lines
    const read = async (afterId: string | undefined): Promise<string[]> => {
      const seen: string[] = []
      const lines = logs.follow(stream, {
        afterId,
        signal: new AbortController().signal,
        writerStatus: async () => ({ status: 'live', isOver: true }),
      })
      for await (const line of lines) seen.push(line.message)
      return seen
    }
    assert.deepEqual(await read(first?.id), ['b', 'c'])
    assert.deepEqual(await read('1-0'), ['a', 'b', 'c'])
    assert.deepEqual(await read('9-512'), ['a', 'b', 'c'], 'the stream was removed and began again')
  })

  it('replies with pages whose links lead on', async () => {
    await write(1, [1, 'web.1', 'a'], [2, 'worker.1', 'b'], [3, 'web.2', 'c'])
    const replies = logReplies(logs, stream)
    const query = { limit: 1, source: 'web', tail: 5 }
    const page = await replies.page({ baseUrl: 'http://localhost:4400', query }, '/v1/environments/env-1/logs')
    assert.deepEqual(texts(page.logs), ['a'])
    assert.equal(page.first.href, 'http://localhost:4400/v1/environments/env-1/logs?limit=1&source=web&tail=5')
    const next = new URL(page.next?.href ?? '')
    assert.equal(next.searchParams.get('start'), page.next?.start)
    const following = await replies.page(
      { baseUrl: '', query: { limit: 1, source: 'web', tail: 5, start: page.next?.start } },
      '/v1/environments/env-1/logs',
    )
    assert.deepEqual(texts(following.logs), ['c'])
    assert.equal(following.next, undefined)
  })

  it('streams lines and changes of status, and ends with the last one', async () => {
    await write(1, [1, 'deploy', 'a'])
    const statuses = ['queued', 'building', 'building', 'live']
    const clock: Clock = { ...systemClock, wait: eagerClock.wait }
    const replies = logReplies(open(noAppender, clock), stream)
    const events: string[] = []
    const call = { query: {}, headers: {}, signal: new AbortController().signal }
    const writerStatus = async () => {
      const status = statuses.length > 1 ? (statuses.shift() ?? '') : 'live'
      if (statuses.length === 1 && status === 'building') await write(1, [2, 'deploy', 'last words'])
      return { status, isOver: status === 'live' }
    }
    for await (const event of replies.events(call, writerStatus)) {
      events.push(event.event === 'log' ? event.data.message : `${event.event} ${event.data.status}`)
    }
    assert.deepEqual(events, ['status queued', 'a', 'status building', 'last words', 'end live'])
  })

  it('appends in order, one call at a time, through failures of the writer', async () => {
    const written: string[] = []
    let calls = 0
    let inCall = false
    const appender: LogAppender = {
      ...noAppender,
      async append(_stream, source, lines) {
        assert.equal(inCall, false)
        inCall = true
        await new Promise((resolve) => setImmediate(resolve))
        inCall = false
        if (calls++ % 2 === 0) throw new Error('the supervisor is being replaced')
        written.push(...lines.map((line) => `${source}: ${line}`))
      },
    }
    const appending = open(appender, {
      ...systemClock,
      wait: (ms, signal) => (ms === 3000 ? systemClock.wait(ms, signal) : eagerClock.wait(ms)),
    })
    appending.append(stream, 'build', ['1', '2\n3'])
    appending.append(stream, 'gantry', ['4'])
    await new Promise((resolve) => setImmediate(resolve))
    appending.append(stream, 'build', ['5'])
    await appending.flush()
    assert.deepEqual(written, ['build: 1', 'build: 2', 'build: 3', 'gantry: 4', 'build: 5'])
  })

  it('bounds what it holds while the writer is away, and says how much was dropped', async () => {
    const away = Promise.withResolvers<void>()
    const written: string[] = []
    const appender: LogAppender = {
      ...noAppender,
      async append(_stream, _source, lines) {
        await away.promise
        written.push(...lines)
      },
    }
    const appending = open(appender)
    const line = 'x'.repeat(10_000)
    for (let i = 0; i < 1000; i++) appending.append(stream, 'build', [line])
    away.resolve()
    await appending.flush()
    const kept = written.filter((text) => text === line).length
    assert.ok(kept < 500, `${kept} lines were held`)
    assert.equal(written.at(-1), `dropped ${1000 - kept} lines: the log could not be written for a while`)
  })

  it('gives up a flush when the writer does not answer', async () => {
    const never: LogAppender = { ...noAppender, append: () => new Promise(() => undefined) }
    const appending = open(never, eagerClock)
    appending.append(stream, 'build', ['lost'])
    await appending.flush()
  })
})
