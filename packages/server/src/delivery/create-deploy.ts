import type { TeamScope } from '../access/index.ts'
import type { Transaction } from '../db/database.ts'
import type { EnvironmentId } from '../kernel/ids.ts'
import { createDeployRow, type DeployPrototype } from './create-deploy-row.ts'
import type { DeliveryRoom } from './delivery-deps.ts'
import type { DeployRow } from './deploy.ts'
import { releaseEvents } from './make-release.ts'
import { applyDeployEvents, lockJourneys } from './record-deploy-event.ts'

export interface DeployRequest extends DeployPrototype {
  readonly environmentId: EnvironmentId
}

/** Begins a deploy in the caller's transaction; what has not switched yet in its environment is superseded. */
export async function createDeploy(
  room: DeliveryRoom,
  tx: Transaction,
  scope: TeamScope,
  request: DeployRequest,
): Promise<DeployRow> {
  const journeys = await lockJourneys(tx, scope, request.environmentId)
  const deploy = await createDeployRow(room, tx, journeys, request)
  if (deploy.kind !== 'rollback') return deploy
  // nothing is built and nothing is waited for: the release is made at once, and what is gone is refused at once
  const events = await releaseEvents(room, tx, journeys, deploy)
  return await applyDeployEvents(room, tx, journeys, { deploy, events })
}
