import type { Clock } from '../kernel/clock.ts'
import { messageOf, UserError } from '../kernel/errors.ts'

export interface ReachabilityDeps {
  readonly clock: Clock
  /** Rejects when the platform cannot serve. */
  readonly checkHealth: () => Promise<void>
}

/** Awaits something that needs the database for as long as the database answers; throws `service_unavailable` when not. */
export type WhileReachable = <T>(work: Promise<T>) => Promise<T>

/** How long work may take before the database is asked whether it is there, and how long it may take to say so. */
const patienceMs = 1_000
const answerMs = 600

/**
 * A database that hangs breaks no connection and says nothing, so that whoever asked would wait as long as it does. Only
 * the waiting is given up: what was sent may still take effect, as when a connection is lost.
 */
export function createWhileReachable({ clock, checkHealth }: ReachabilityDeps): WhileReachable {
  let asking: Promise<void> | undefined
  const ask = () => {
    asking ??= answersInTime().finally(() => {
      asking = undefined
    })
    return asking
  }
  async function answersInTime(): Promise<void> {
    const over = new AbortController()
    const late = clock.wait(answerMs, over.signal).then(() => {
      throw new Error('no answer')
    })
    await Promise.race([checkHealth(), late]).finally(() => over.abort())
  }
  return async (work) => {
    const over = new AbortController()
    const watch = async (): Promise<never> => {
      for (;;) {
        await clock.wait(patienceMs, over.signal)
        await ask().catch((error: unknown) => {
          throw unavailable(error)
        })
      }
    }
    // the race hears both, also the one that ends later
    return await Promise.race([work, watch()]).finally(() => over.abort())
  }
}

function unavailable(cause: unknown): UserError {
  const message = `The database does not answer right now (${messageOf(cause)}). Try again in a second.`
  return new UserError('service_unavailable', message, { cause })
}
