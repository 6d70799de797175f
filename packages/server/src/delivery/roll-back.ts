import type { TeamScope } from '../access/index.ts'
import { lockEnvironment } from '../apps/index.ts'
import type { Transaction } from '../db/database.ts'
import { UserError } from '../kernel/errors.ts'
import type { EnvironmentId } from '../kernel/ids.ts'
import { findReleaseBefore, findReleaseOf, releaseName } from '../releases/index.ts'
import { createDeploy } from './create-deploy.ts'
import type { DeliveryRoom } from './delivery-deps.ts'
import type { DeployRow } from './deploy.ts'

export interface RollbackRequest {
  readonly environmentId: EnvironmentId
  /** Id or name; absent: the release before the one that is live. */
  readonly rollbackTo?: string | undefined
  readonly keepConfig?: boolean | undefined
  readonly createdBy: string
}

/** Throws `no_release_to_roll_back_to`, `already_live`. */
export async function rollBack(
  room: DeliveryRoom,
  tx: Transaction,
  scope: TeamScope,
  request: RollbackRequest,
): Promise<DeployRow> {
  const environment = await lockEnvironment(tx, scope, request.environmentId)
  const wanted = request.rollbackTo
  const target =
    wanted === undefined
      ? await findReleaseBefore(tx, scope, environment)
      : await findReleaseOf(tx, scope, environment, wanted)
  if (!target) {
    const what =
      wanted === undefined
        ? 'There is no release before the live one, or before the one that it is a rollback to. To go to another, name it:'
        : `There is no release ${wanted}.`
    const message = `${what} \`gantry releases\` lists those that are kept.`
    throw new UserError('no_release_to_roll_back_to', message)
  }
  if (target.id === environment.liveReleaseId && environment.desiredReleaseId === target.id) {
    throw new UserError('already_live', `Release ${releaseName(target.version)} is live already.`)
  }
  const { keepConfig, createdBy, environmentId } = request
  return await createDeploy(room, tx, scope, {
    environmentId,
    kind: 'rollback',
    rollbackTo: target.id,
    commitSha: target.commitSha,
    keepConfig,
    createdBy,
  })
}
