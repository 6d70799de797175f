import { updateCurrentConfig, updateDesiredRelease } from '../apps/index.ts'
import type { Transaction } from '../db/database.ts'
import type { ReleaseId } from '../kernel/ids.ts'
import { releaseById } from '../releases/index.ts'
import type { DeliveryRoom } from './delivery-deps.ts'
import type { DeployRow } from './deploy.ts'
import type { FollowUp } from './deploy-state.ts'
import { selectLongestQueued } from './deploy-store.ts'
import type { Journeys } from './record-deploy-event.ts'

export interface FollowUpOptions {
  /** Recorded by the deploy's own handler, which goes on with what comes next by itself. */
  readonly isAtWork?: boolean
}

/** Does what follows from a transition, in its transaction. */
export async function followUp(
  room: DeliveryRoom,
  tx: Transaction,
  journeys: Journeys,
  step: { readonly deploy: DeployRow; readonly followUp: FollowUp; readonly options?: FollowUpOptions | undefined },
): Promise<void> {
  const { deploy, options = {} } = step
  switch (step.followUp.kind) {
    case 'desire_release':
      return await desire(room, tx, journeys, step.followUp.releaseId)
    case 'desire_live_release':
      if (journeys.environment.desiredReleaseId !== deploy.releaseId) return
      return await desire(room, tx, journeys, journeys.environment.liveReleaseId)
    case 'restore_config':
      return await restoreConfig(room, tx, journeys, deploy)
    case 'clean_up':
      if (!options.isAtWork) await room.work.enqueue(tx, 'deploy', deploy.id)
      return
    case 'wake_waiting':
      return await wakeWaiting(room, tx, journeys, deploy)
  }
}

async function desire(
  room: DeliveryRoom,
  tx: Transaction,
  journeys: Journeys,
  releaseId: ReleaseId | undefined,
): Promise<void> {
  const { id, desiredReleaseId: _before, rolloutError: _error, ...rest } = journeys.environment
  await updateDesiredRelease(tx, journeys.scope, id, { releaseId, at: room.clock.now() })
  journeys.environment = { id, ...rest, ...(releaseId && { desiredReleaseId: releaseId }) }
  await room.work.enqueue(tx, 'environment', id)
  tx.afterCommit(() => room.rollouts.wake(id))
}

/** Unless the config has been changed since: then that is what the user wants. */
async function restoreConfig(
  room: DeliveryRoom,
  tx: Transaction,
  journeys: Journeys,
  deploy: DeployRow,
): Promise<void> {
  if (deploy.keepConfig || !deploy.releaseId) return
  const release = await releaseById(tx, journeys.scope, deploy.releaseId)
  if (!release || release.configId !== journeys.environment.configId) return
  await makeConfigCurrent(room, tx, journeys, deploy.previousConfigId)
}

export async function makeConfigCurrent(
  room: Pick<DeliveryRoom, 'clock'>,
  tx: Transaction,
  journeys: Journeys,
  configId: DeployRow['previousConfigId'],
): Promise<void> {
  const { configId: _before, ...rest } = journeys.environment
  await updateCurrentConfig(tx, journeys.scope, rest.id, { kind: 'run', configId, at: room.clock.now() })
  journeys.environment = { ...rest, ...(configId && { configId }) }
}

async function wakeWaiting(room: DeliveryRoom, tx: Transaction, journeys: Journeys, ended: DeployRow): Promise<void> {
  for (const other of journeys.open) {
    if (other.status === 'waiting') await room.work.enqueue(tx, 'deploy', other.id)
  }
  if (!ended.buildId) return
  for (const id of await selectLongestQueued(tx, room.limits.builds)) await room.work.enqueue(tx, 'deploy', id)
}
