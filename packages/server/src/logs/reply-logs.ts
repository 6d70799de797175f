import type { LogEvent, LogPage } from '@gantry/api'
import { pageLinks } from '../kernel/page-links.ts'
import type { WriterStatus } from './follow-lines.ts'
import type { LineFilter } from './log-line.ts'
import type { Logs } from './logs.ts'

/** What the log endpoints have in common: the query of a page or a stream, as the contract parses it. */
export interface LogQuery {
  readonly since?: string | undefined
  readonly source?: string | undefined
  readonly tail?: number | undefined
}

export interface PageCall {
  readonly baseUrl: string
  readonly query: LogQuery & { readonly limit: number; readonly start?: string | undefined }
}

export interface StreamCall {
  readonly query: LogQuery
  readonly headers: { readonly lastEventId?: string | undefined }
  readonly signal: AbortSignal
}

/** The replies of a stream's two endpoints, for the rooms that own what wrote it. */
export interface LogReplies {
  /** `path`: where the page is, `/v1/builds/bld-…/logs`. */
  page(call: PageCall, path: string): Promise<LogPage>
  /** `writerStatus`: for a build or deploy; each change becomes an event, and the last one ends the stream. */
  events(call: StreamCall, writerStatus?: () => Promise<WriterStatus>): AsyncIterable<LogEvent>
}

export function logReplies(logs: Logs, stream: string): LogReplies {
  return {
    async page({ baseUrl, query }, path) {
      const { start, limit, tail } = query
      const { lines, next } = await logs.page(stream, { start, limit, tail, ...filterOf(query) })
      return { logs: [...lines], ...pageLinks({ baseUrl, path, query }, next) }
    },
    events({ query, headers, signal }, writerStatus) {
      const options = { ...filterOf(query), tail: query.tail, afterId: headers.lastEventId, signal, writerStatus }
      return eventsOf(logs.followAll(stream, options))
    },
  }
}

async function* eventsOf(followed: ReturnType<Logs['followAll']>): AsyncIterable<LogEvent> {
  for await (const item of followed) {
    if (item.kind === 'line') yield { event: 'log', id: item.line.id, data: item.line }
    else yield { event: item.status.isOver ? 'end' : 'status', data: { status: item.status.status } }
  }
}

function filterOf({ since, source }: LogQuery): LineFilter {
  return { source, since: since === undefined ? undefined : new Date(since) }
}
