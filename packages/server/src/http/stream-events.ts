import type { ServerResponse } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'
import { messageOf } from '../kernel/errors.ts'
import type { Logger } from '../kernel/logger.ts'

export interface StreamedEvent {
  readonly event: string
  readonly id?: string | undefined
  readonly data: unknown
}

export interface StreamOptions {
  readonly events: AsyncIterable<StreamedEvent>
  readonly headers: Readonly<Record<string, string>>
  readonly abort: AbortController
  readonly logger: Logger
  /** Whether the caller may still see this; asked every second. */
  isStillPermitted(): Promise<boolean>
  readonly heartbeatMs?: number
}

/**
 * Sends server-sent events as the client takes them, a comment every 15 s so that a dead connection shows, and ends when
 * the events do, the client leaves, its token stops working, or the server stops.
 */
export async function streamEvents(response: ServerResponse, options: StreamOptions): Promise<void> {
  const { events, headers, abort, logger, heartbeatMs = 15_000 } = options
  response.writeHead(200, { ...headers, 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
  response.flushHeaders()
  const heartbeat = setInterval(() => {
    if (!response.writableNeedDrain) response.write(': heartbeat\n\n')
  }, heartbeatMs)
  const watching = watchPermission(options)
  const iterator = events[Symbol.asyncIterator]()
  try {
    for (;;) {
      const next = await untilAborted(iterator.next(), abort.signal)
      if (next === undefined || next.done) break
      if (!response.write(formatEvent(next.value))) await drained(response, abort.signal)
    }
  } catch (error) {
    if (!abort.signal.aborted) logger.error({ err: error, error: messageOf(error) }, 'an event stream failed')
  }
  clearInterval(heartbeat)
  if (!abort.signal.aborted) abort.abort(new Error('the stream has ended'))
  void Promise.resolve(iterator.return?.()).catch(() => undefined)
  response.end()
  await watching
}

/** https://html.spec.whatwg.org/multipage/server-sent-events.html: JSON has no line breaks, so one data line is enough. */
function formatEvent({ event, id, data }: StreamedEvent): string {
  const lines = [...(id === undefined ? [] : [`id: ${id}`]), `event: ${event}`, `data: ${JSON.stringify(data)}`]
  return `${lines.join('\n')}\n\n`
}

async function watchPermission({ abort, isStillPermitted }: StreamOptions): Promise<void> {
  while (!abort.signal.aborted) {
    await wait(1000, undefined, { signal: abort.signal, ref: false }).catch(() => undefined)
    if (abort.signal.aborted) return
    if (!(await isStillPermitted())) abort.abort(new Error('the token no longer permits this'))
  }
}

async function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  if (signal.aborted) return undefined
  const aborted = Promise.withResolvers<undefined>()
  const stop = () => aborted.resolve(undefined)
  signal.addEventListener('abort', stop, { once: true })
  try {
    return await Promise.race([promise, aborted.promise])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

async function drained(response: ServerResponse, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  response.once('drain', resolve)
  await untilAborted(promise, signal)
  response.removeListener('drain', resolve)
}
