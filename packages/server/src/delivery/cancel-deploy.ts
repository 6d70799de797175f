import type { TeamScope } from '../access/index.ts'
import type { DeliveryRoom } from './delivery-deps.ts'
import { isOpen } from './deploy-state.ts'
import { requestCancel } from './deploy-store.ts'
import { type DeployCheck, findDeploy, wrongState } from './find-deploy.ts'
import { applyDeployEvents, lockJourneys } from './record-deploy-event.ts'
import { hasSwitched } from './supersede-rules.ts'

/** Ends a deploy that has not switched, or asks its handler to. Throws `invalid_state`. */
export async function cancelDeploy(
  room: DeliveryRoom,
  scope: TeamScope,
  request: { readonly id: string; readonly check: DeployCheck },
): Promise<void> {
  await room.db.transaction(async (tx) => {
    const { environmentId, id } = await findDeploy(tx, scope, request.id)
    const journeys = await lockJourneys(tx, scope, environmentId)
    const deploy = await findDeploy(tx, scope, id)
    await request.check(tx, deploy)
    if (!isOpen(deploy.status)) throw wrongState(deploy, 'It has ended')
    if (hasSwitched(deploy, journeys.environment.liveReleaseId)) {
      throw wrongState(deploy, 'Requests already go to its release; `gantry rollback` takes it back')
    }
    if (deploy.status === 'building' || deploy.status === 'releasing') {
      // something runs for it: its handler ends that first
      await requestCancel(tx, scope, deploy.id, room.clock.now())
      await room.work.enqueue(tx, 'deploy', deploy.id)
      return
    }
    await applyDeployEvents(room, tx, journeys, { deploy, events: [{ name: 'cancel' }] })
  })
}
