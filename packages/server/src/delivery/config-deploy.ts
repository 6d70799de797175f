import type { Transaction } from '../db/database.ts'
import { createDeployRow } from './create-deploy-row.ts'
import type { DeliveryRoom } from './delivery-deps.ts'
import type { DeployRow } from './deploy.ts'
import type { Journeys } from './record-deploy-event.ts'

/**
 * Begins the deploy of a change of config, when there is something to deploy it to: a live release, or one on its way
 * whose config is fixed already. Before the first release there is neither, and the first build takes the config along.
 */
export async function beginConfigDeploy(
  room: DeliveryRoom,
  tx: Transaction,
  journeys: Journeys,
  createdBy: string,
): Promise<DeployRow | undefined> {
  const isOnItsWay = journeys.open.some((deploy) => deploy.releaseId !== undefined)
  if (!journeys.environment.liveReleaseId && !isOnItsWay) return undefined
  return await createDeployRow(room, tx, journeys, { kind: 'config', createdBy })
}
