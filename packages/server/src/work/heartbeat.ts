import type { Queryable } from '../db/database.ts'
import type { Clock } from '../kernel/clock.ts'
import { messageOf } from '../kernel/errors.ts'
import type { Logger } from '../kernel/logger.ts'
import { renewWork } from './work-store.ts'

/** The reason with which a handler's signal aborts when another runner may have its row. */
export class LeaseLost extends Error {
  override readonly name = 'LeaseLost'
}

/** One row being worked on. */
export interface LeasedItem {
  readonly fence: number
  readonly abort: AbortController
  /** When the request for the lease that we have was sent, on the monotonic clock: it ends no earlier than `leaseMs` later. */
  renewedAtMs: number
}

export interface HeartbeatOptions {
  readonly db: Queryable
  readonly clock: Clock
  readonly logger: Logger
  readonly leaseMs: number
}

/**
 * Renews what runs, every third of a lease, and aborts what another runner may have: told so by the database, or not
 * told in time that it is still ours.
 */
export async function keepLeases(
  options: HeartbeatOptions,
  items: ReadonlySet<LeasedItem>,
  stop: AbortSignal,
): Promise<void> {
  const { clock, leaseMs } = options
  let beatAtMs = clock.monotonicMs()
  let beat: Promise<void> | undefined
  while (!stop.aborted) {
    await clock.wait(leaseMs / 15, stop).catch(() => undefined)
    const now = clock.monotonicMs()
    for (const item of items) {
      if (now - item.renewedAtMs > leaseMs * 0.8) item.abort.abort(new LeaseLost('the lease could not be renewed'))
    }
    if (beat !== undefined || items.size === 0 || now - beatAtMs < leaseMs / 3) continue
    beatAtMs = now
    beat = renew(options, [...items]).finally(() => {
      beat = undefined
    })
  }
  await beat
}

async function renew(options: HeartbeatOptions, items: readonly LeasedItem[]): Promise<void> {
  const sentAtMs = options.clock.monotonicMs()
  const fences = items.map((item) => item.fence)
  try {
    const ours = await renewWork(options.db, fences, options.leaseMs)
    for (const item of items) {
      if (ours.has(item.fence)) item.renewedAtMs = sentAtMs
      else item.abort.abort(new LeaseLost('another runner has this work'))
    }
  } catch (error) {
    options.logger.warn({ error: messageOf(error) }, 'leases could not be renewed')
  }
}
