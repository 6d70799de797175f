import type { TeamScope } from '../access/index.ts'
import { type ConfigChange, type EnvironmentRow, findApp, lockEnvironment } from '../apps/index.ts'
import type { Transaction } from '../db/database.ts'
import { UserError } from '../kernel/errors.ts'
import type { DeployId, EnvironmentId } from '../kernel/ids.ts'
import { findReleaseBefore, findReleaseOf, releaseById, releaseName } from '../releases/index.ts'
import { beginConfigDeploy } from './config-deploy.ts'
import { createDeployRow, type DeployPrototype } from './create-deploy-row.ts'
import type { DeliveryRoom } from './delivery-deps.ts'
import type { DeployRow } from './deploy.ts'
import { type DeployEvent, isOpen } from './deploy-state.ts'
import { requestCancel, selectDeploy } from './deploy-store.ts'
import { releaseEvents } from './make-release.ts'
import { applyDeployEvents, lockJourneys } from './record-deploy-event.ts'
import { hasSwitched } from './supersede-rules.ts'

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
    const what = wanted === undefined ? 'The environment has no earlier release' : `There is no release ${wanted}`
    const message = `${what}. \`gantry releases\` lists those that are kept.`
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

/** Sees the deploy, locked, and may refuse the change. */
export type DeployCheck = (tx: Transaction, deploy: DeployRow) => Promise<void>

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

export async function findDeploy(tx: Transaction, scope: TeamScope, id: string): Promise<DeployRow> {
  const deploy = await selectDeploy(tx, scope, id)
  if (!deploy) throw noSuchDeploy(id)
  return deploy
}

export function noSuchDeploy(id: string): UserError {
  return new UserError('not_found', `There is no deploy ${id}, or this token may not see it.`)
}

function wrongState(deploy: DeployRow, why: string): UserError {
  return new UserError('invalid_state', `The deploy is ${deploy.status.replace('_', ' ')}. ${why}.`)
}

/** What a new version of a config begins; nothing where nothing has been released. */
export async function configChanged(
  room: DeliveryRoom,
  tx: Transaction,
  scope: TeamScope,
  change: ConfigChange,
): Promise<DeployId | undefined> {
  const journeys = await lockJourneys(tx, scope, change.environmentId)
  return (await beginConfigDeploy(room, tx, journeys, change.createdBy))?.id
}

/** Before an environment is marked as deleted: what is open ends. */
export async function environmentDeleted(
  room: DeliveryRoom,
  tx: Transaction,
  scope: TeamScope,
  environment: EnvironmentRow,
): Promise<void> {
  const journeys = await lockJourneys(tx, scope, environment.id)
  for (const deploy of journeys.open) {
    const settle: DeployEvent = { name: 'settle', message: 'The release was live when its environment was deleted.' }
    const isLive = hasSwitched(deploy, journeys.environment.liveReleaseId)
    const live: DeployEvent[] = deploy.status === 'watching' ? [settle] : [{ name: 'switch' }, settle]
    await applyDeployEvents(room, tx, journeys, { deploy, events: isLive ? live : [{ name: 'cancel' }] })
  }
}

/** What `create_deploy` asks for, checked. Throws `source_not_found`, `commit_not_found`, `not_found`. */
export async function checkedSource(
  room: DeliveryRoom,
  scope: TeamScope,
  environment: EnvironmentRow,
  wanted: { readonly sourceId?: string | undefined; readonly commitSha?: string | undefined },
): Promise<Pick<DeployPrototype, 'kind' | 'sourceId' | 'commitSha'>> {
  if (wanted.sourceId !== undefined) {
    const source = await room.sources.find(room.db, scope, wanted.sourceId)
    if (source?.appId === environment.appId) {
      return { kind: 'upload', sourceId: wanted.sourceId as DeployPrototype['sourceId'], commitSha: source.commitSha }
    }
    throw new UserError('source_not_found', `There is no uploaded source ${wanted.sourceId} of this app.`, {
      target: { type: 'field', name: 'source.id' },
    })
  }
  const { repositoryId } = await findApp(room.db, scope, environment.appId)
  const { commitSha = '' } = wanted
  if (await room.sources.hasCommit(repositoryId, commitSha)) return { kind: 'commit', commitSha }
  throw new UserError('commit_not_found', `The repository has no commit ${commitSha}. Push it first.`, {
    target: { type: 'field', name: 'commit_sha' },
  })
}
