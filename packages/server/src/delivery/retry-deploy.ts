import type { TeamScope } from '../access/index.ts'
import { lockEnvironment } from '../apps/index.ts'
import { UserError } from '../kernel/errors.ts'
import type { DeployId } from '../kernel/ids.ts'
import { releaseById } from '../releases/index.ts'
import { createDeploy } from './create-deploy.ts'
import type { DeliveryRoom } from './delivery-deps.ts'
import { isOpen } from './deploy-state.ts'
import { type DeployCheck, findDeploy, wrongState } from './find-deploy.ts'

/** Begins a new deploy of what another one ended without making live. Throws `invalid_state`. */
export async function retryDeploy(
  room: DeliveryRoom,
  scope: TeamScope,
  request: { readonly id: string; readonly check: DeployCheck; readonly createdBy: string },
): Promise<DeployId> {
  return await room.db.transaction(async (tx) => {
    const { environmentId } = await findDeploy(tx, scope, request.id)
    await lockEnvironment(tx, scope, environmentId)
    const deploy = await findDeploy(tx, scope, request.id)
    await request.check(tx, deploy)
    if (isOpen(deploy.status)) throw wrongState(deploy, 'It has not ended yet')
    if (deploy.status === 'live') throw wrongState(deploy, 'It went live, so there is nothing to retry')
    if (deploy.rollbackTo && !(await releaseById(tx, scope, deploy.rollbackTo))) {
      throw new UserError('no_release_to_roll_back_to', 'The release to go back to is no longer kept.')
    }
    const { kind, commitSha, sourceId, pushId, rollbackTo, keepConfig } = deploy
    const again = { kind, commitSha, sourceId, pushId, rollbackTo, keepConfig, retryOf: deploy.id }
    const next = await createDeploy(room, tx, scope, { ...again, environmentId, createdBy: request.createdBy })
    return next.id
  })
}
