import type { TeamScope } from '../access/index.ts'
import { backoffMs } from '../kernel/backoff.ts'
import { messageOf } from '../kernel/errors.ts'
import type { PushId } from '../kernel/ids.ts'
import { type PushStatus, updatePushes } from './push-store.ts'
import type { SourceDeps } from './source.ts'

/** Longer than a database takes to come back after it was killed. */
const patienceMs = 60_000

/**
 * Writes down what has become of pushes, again and again while the database does not answer: the refs are already where
 * they are, and until the next start nobody else would look. Throws when it stays away.
 */
export async function settlePushes(
  deps: SourceDeps,
  scope: TeamScope,
  ids: readonly PushId[],
  status: PushStatus,
): Promise<void> {
  const { db, clock, log } = deps
  const endMs = clock.monotonicMs() + patienceMs
  for (let failures = 1; ; failures++) {
    try {
      return await updatePushes(db, scope, ids, { status, at: clock.now() })
    } catch (error) {
      if (clock.monotonicMs() > endMs) throw error
      log.warn({ ids, status, error: messageOf(error) }, 'the state of a push was not recorded: trying again')
    }
    await clock.wait(backoffMs(failures, 50, 2000))
  }
}
