import { type FSWatcher, watch } from 'node:fs'
import type { Clock } from '../kernel/clock.ts'
import type { LinePosition } from '../supervisor/output/log-format.ts'
import { type LineFilter, type LogLine, matches } from './log-line.ts'
import { readChunks } from './read-lines.ts'

export interface FollowRequest {
  readonly folder: string
  readonly from: LinePosition
  readonly filter: LineFilter
  readonly signal: AbortSignal
  /** Once it says true and everything is read, following ends. Absent: it ends with the signal alone. */
  readonly isOver?: (() => Promise<boolean>) | undefined
}

/** A file system event wakes the reader at once; this poll is what it relies on, in ms. */
const pollMs = 500

/** Lines from a position on, and then as they are written. Ends without an error when the signal aborts. */
export async function* followLines(clock: Clock, request: FollowRequest): AsyncGenerator<LogLine> {
  const { folder, filter, signal } = request
  const bell = createFolderBell(folder)
  let position = request.from
  try {
    while (!signal.aborted) {
      bell.arm()
      const over = (await request.isOver?.()) ?? false
      for await (const chunk of readChunks(folder, position)) {
        position = chunk.end
        for (const line of chunk.lines) {
          if (signal.aborted) return
          if (matches(line, filter)) yield line
        }
      }
      if (over) return
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
