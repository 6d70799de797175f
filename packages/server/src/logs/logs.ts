import type { Clock } from '../kernel/clock.ts'
import type { Logger } from '../kernel/logger.ts'
import { createLineBuffer, type LogAppender } from './append-lines.ts'
import { type Followed, followLines, type WriterStatus } from './follow-lines.ts'
import type { LineFilter, LogLine } from './log-line.ts'
import { findAfter, findStart, type LinesPage, parsePosition, readLast, readPage } from './read-lines.ts'
import { streamFolder } from './segment-files.ts'

export interface PageOptions extends LineFilter {
  /** `next` of the page before. Throws `invalid_page_token` when it is not one. */
  readonly start?: string | undefined
  readonly limit: number
  /** Begin with the last so many matching lines; counts only without `start`. */
  readonly tail?: number | undefined
}

export interface FollowOptions extends LineFilter {
  /** Go on behind this line: `Last-Event-ID`. Beats `tail`. A line that is gone means the oldest one kept. */
  readonly afterId?: string | undefined
  readonly tail?: number | undefined
  readonly signal: AbortSignal
  /** Asked again and again: when it is over, following ends as soon as all is read. Absent: no end but the signal's. */
  readonly writerStatus?: (() => Promise<WriterStatus>) | undefined
}

/** Everything that was written by instances, builds, deploys and the platform itself. A stream that is missing is empty. */
export interface Logs {
  /** Adds lines of the platform's own. Buffered, in order, never throws. */
  append(stream: string, source: string, lines: readonly string[]): void
  flush(): Promise<void>
  /** A page, oldest line first. */
  page(stream: string, options: PageOptions): Promise<LinesPage>
  /** Lines as they come. Ends without an error when the signal aborts or the writer is over. */
  follow(stream: string, options: FollowOptions): AsyncIterable<LogLine>
  /** The same, and each change of the writer's status, the last one included. */
  followAll(stream: string, options: FollowOptions): AsyncIterable<Followed>
  /** The last `count` lines, oldest first. */
  last(stream: string, count: number, source?: string): Promise<readonly LogLine[]>
  /** Deletes a stream, or all streams below `app/<app id>`, `build/<app id>`, `deploy/<app id>`. */
  remove(stream: string): Promise<void>
}

export interface LogsDeps {
  /** `GANTRY_HOME/logs`. */
  readonly folder: string
  readonly appender: LogAppender
  readonly clock: Clock
  readonly log: Logger
}

export function createLogs(deps: LogsDeps): Logs {
  const { clock } = deps
  const buffer = createLineBuffer(deps)
  const folderOf = (stream: string): string => streamFolder(deps.folder, stream)
  const following = async function* (stream: string, options: FollowOptions): AsyncGenerator<Followed> {
    const { afterId, tail, signal, writerStatus, ...filter } = options
    const folder = folderOf(stream)
    const from = afterId === undefined ? await findStart(folder, filter, tail) : await findAfter(folder, afterId)
    yield* followLines(clock, { folder, from, filter, signal, writerStatus })
  }
  /** Throws at once, not when the first line is asked for: by then a reply has begun. */
  const followAll = (stream: string, options: FollowOptions): AsyncGenerator<Followed> => {
    if (options.afterId !== undefined) parsePosition(options.afterId, { type: 'header', name: 'Last-Event-ID' })
    return following(stream, options)
  }
  return {
    append: (stream, source, lines) => buffer.append(stream, source, lines),
    flush: () => buffer.flush(),
    async page(stream, { start, limit, tail, ...filter }) {
      const folder = folderOf(stream)
      const from =
        start === undefined
          ? await findStart(folder, filter, tail)
          : parsePosition(start, { type: 'parameter', name: 'start' })
      return await readPage(folder, from, limit, filter)
    },
    async *follow(stream, options) {
      for await (const item of followAll(stream, options)) if (item.kind === 'line') yield item.line
    },
    followAll,
    last: (stream, count, source) => readLast(folderOf(stream), count, { source }),
    async remove(stream) {
      await buffer.flush()
      await deps.appender.removeStream(stream)
    },
  }
}
