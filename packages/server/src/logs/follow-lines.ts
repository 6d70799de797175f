import { type FSWatcher, watch } from 'node:fs'
import type { Clock } from '../kernel/clock.ts'
import type { LinePosition } from '../supervisor/output/log-format.ts'
import { type LineFilter, type LogLine, matches } from './log-line.ts'
import { readChunks } from './read-lines.ts'

/** How that stands which writes a stream: a build, a deploy. */
export interface WriterStatus {
  readonly status: string
  /** Nothing will be written any more, and everything that was is in the stream. */
  readonly isOver: boolean
}

export interface FollowRequest {
  readonly folder: string
  readonly from: LinePosition
  readonly filter: LineFilter
  readonly signal: AbortSignal
  /** Asked before every reading. Absent: the stream has no end of its own. */
  readonly writerStatus?: (() => Promise<WriterStatus>) | undefined
}

export type Followed =
  | { readonly kind: 'line'; readonly line: LogLine }
  | { readonly kind: 'status'; readonly status: WriterStatus }

/** A file system event wakes the reader at once; this poll is what it relies on, in ms. */
const pollMs = 500

/**
 * Lines from a position on, and then as they are written, with each change of the writer's status. Ends when the writer
 * is over and everything is read; without an error when the signal aborts.
 */
export async function* followLines(clock: Clock, request: FollowRequest): AsyncGenerator<Followed> {
  const { folder, filter, signal, writerStatus } = request
  const bell = createFolderBell(folder)
  let position = request.from
  let known: WriterStatus | undefined
  try {
    while (!signal.aborted) {
      bell.arm()
      const status = await writerStatus?.()
      if (status && !status.isOver && status.status !== known?.status) yield { kind: 'status', status }
      known = status
      for await (const chunk of readChunks(folder, position)) {
        position = chunk.end
        for (const line of chunk.lines) {
          if (signal.aborted) return
          if (matches(line, filter)) yield { kind: 'line', line }
        }
      }
      if (status?.isOver) return yield { kind: 'status', status }
      await bell.wait(clock, signal)
    }
  } finally {
    bell.close()
  }
}

/** Wakes one reader when something in a folder changes, or after the poll's time. The folder may not exist yet. */
function createFolderBell(folder: string) {
  let watcher: FSWatcher | undefined
  let ring = Promise.withResolvers<void>()
  const open = (): void => {
    try {
      watcher ??= watch(folder, { persistent: false }, () => ring.resolve())
      watcher.once('error', () => {
        watcher?.close()
        watcher = undefined
      })
    } catch {
      // No folder yet, or no watches left on this machine: the poll goes on without.
    }
  }
  return {
    /** From now on a change is noticed: called before reading, so that none is missed in between. */
    arm() {
      ring = Promise.withResolvers<void>()
      if (!watcher) open()
    },
    async wait(clock: Clock, signal: AbortSignal) {
      const done = new AbortController()
      const either = AbortSignal.any([signal, done.signal])
      const poll = clock.wait(pollMs, either).catch(() => undefined)
      await Promise.race([ring.promise, poll])
      done.abort()
    },
    close: () => watcher?.close(),
  }
}
