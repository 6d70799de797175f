import type { Queryable } from '../db/database.ts'

/**
 * Durable work (table `work`): rows say what has to be looked at next, at most one row per kind and subject.
 *
 * - `enqueue` commits with the caller's transaction; asking again while a row is there only makes it due (again).
 * - A runner claims due rows with FOR UPDATE SKIP LOCKED, a lease that a heartbeat renews, and a fencing number from one
 *   sequence that only grows. A lease that ends lets another runner claim the row with a higher number.
 * - A handler that returns `done` removes the row unless it was enqueued again meanwhile; `again` sets the next time; a
 *   throw is tried again with back-off (1 s doubling to 1 min) and logged with its cause.
 * - NOTIFY `work` is a hint; a poll every second is the truth.
 */
export type WorkKind = 'deploy' | 'environment' | 'delete_app' | 'delete_environment' | 'retention' | 'rotate_key'

export interface WorkItem {
  readonly kind: WorkKind
  readonly subject: string
  readonly fence: number
  readonly attempt: number
}

export type WorkOutcome = { readonly kind: 'done' } | { readonly kind: 'again'; readonly afterMs: number }

/** The signal aborts when the lease is lost or the process stops: the handler must then have no further effect. */
export type WorkHandler = (item: WorkItem, signal: AbortSignal) => Promise<WorkOutcome>

export interface Work {
  enqueue(db: Queryable, kind: WorkKind, subject: string, runAt?: Date): Promise<void>
}

export interface WorkRunner extends Work {
  /** `concurrency` handlers of this kind at once in this process. */
  handle(kind: WorkKind, handler: WorkHandler, concurrency: number): void
  /** Claims and runs until aborted; resolves when every handler has returned. */
  run(signal: AbortSignal): Promise<void>
}
