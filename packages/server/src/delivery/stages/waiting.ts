import type { Transaction } from '../../db/database.ts'
import type { DeliveryRoom } from '../delivery-deps.ts'
import type { DeployRow } from '../deploy.ts'
import type { DeployEvent } from '../deploy-state.ts'
import { releaseEvents } from '../make-release.ts'
import { type Journeys, recordDeployEvents } from '../record-deploy-event.ts'
import { blockerOf } from '../supersede-rules.ts'
import { again, type Stage } from './stage.ts'

/** The end of what it waits for wakes it; the poll is for the case that it does not. */
const lookAgainMs = 5_000

/** Holds a deploy while an older one has the environment, and then makes its release. */
export const waiting: Stage = async (room, job) => {
  const deploy = await recordDeployEvents(room, job, (tx, journeys, row) => waitOrRelease(room, tx, journeys, row))
  return deploy.status === 'waiting' ? again(lookAgainMs) : 'next'
}

/** For a deploy that has its artifact. */
export async function waitOrRelease(
  room: DeliveryRoom,
  tx: Transaction,
  journeys: Journeys,
  deploy: DeployRow,
): Promise<readonly DeployEvent[]> {
  const blocker = blockerOf(deploy, journeys.open)
  if (!blocker) return await releaseEvents(room, tx, journeys, deploy)
  const reason = `Waits for the deploy ${blocker.id} of the same environment.`
  return deploy.waitReason === reason ? [] : [{ name: 'hold', reason }]
}
