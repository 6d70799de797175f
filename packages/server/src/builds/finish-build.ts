import { systemScope } from '../access/index.ts'
import type { Queryable } from '../db/database.ts'
import type { BuildRequest } from './build.ts'
import { type BuildEnd, endBuild } from './build-store.ts'
import type { BuildsDeps } from './builds-deps.ts'

/** Late enough not to compete with the deploy that waits for this build. */
const cleanUpDelayMs = 60_000

/** Ends a build, and asks in the same transaction for what it leaves behind to be collected. */
export async function finishBuild(
  deps: Pick<BuildsDeps, 'clock' | 'work'>,
  tx: Queryable,
  build: BuildRequest['build'],
  end: BuildEnd,
): Promise<void> {
  const now = deps.clock.now()
  await endBuild(tx, systemScope(build.teamId), { id: build.id, now }, end)
  await deps.work.enqueue(tx, 'retention', build.appId, new Date(now.getTime() + cleanUpDelayMs))
}
