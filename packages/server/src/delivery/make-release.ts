import type { EnvironmentRow } from '../apps/index.ts'
import { findBuild } from '../builds/index.ts'
import type { Transaction } from '../db/database.ts'
import { UserError } from '../kernel/errors.ts'
import type { ArtifactId } from '../kernel/ids.ts'
import { createRelease, type ReleaseRow, releaseById, releaseName } from '../releases/index.ts'
import type { DeliveryRoom } from './delivery-deps.ts'
import type { DeployRow } from './deploy.ts'
import type { DeployEvent } from './deploy-state.ts'
import { makeConfigCurrent } from './follow-up.ts'
import type { Journeys } from './record-deploy-event.ts'

/**
 * Makes the release of a deploy that nothing holds any more, in the transaction that records it, and says how it goes on:
 * without a release phase it rolls out at once.
 */
export async function releaseEvents(
  room: DeliveryRoom,
  tx: Transaction,
  journeys: Journeys,
  deploy: DeployRow,
): Promise<readonly DeployEvent[]> {
  const before = journeys.environment
  const release = await makeRelease(room, tx, journeys, deploy)
  if ('name' in release) return [release]
  const made: DeployEvent = {
    name: 'release',
    releaseId: release.id,
    releaseName: releaseName(release.version),
    ...(deploy.kind === 'rollback' && { previousConfigId: before.configId }),
  }
  if (release.processTypes.release) return [made]
  return [made, { name: 'roll_out', previousReleaseId: before.liveReleaseId }]
}

async function makeRelease(
  room: DeliveryRoom,
  tx: Transaction,
  journeys: Journeys,
  deploy: DeployRow,
): Promise<ReleaseRow | DeployEvent> {
  if (deploy.kind === 'rollback') return await makeRollback(room, tx, journeys, deploy)
  if (deploy.kind === 'config') return await makeConfigRelease(room, tx, journeys, deploy)
  const build = deploy.buildId && (await findBuild(tx, journeys.scope, deploy.buildId))
  const artifact = build?.artifactId && (await room.builds.artifact(tx, journeys.scope, build.artifactId))
  if (!artifact || !(await room.builds.take(tx, journeys.scope, artifact.id))) return artifactMissing
  return await createRelease(room, tx, journeys.scope, {
    environment: journeys.environment,
    artifactId: artifact.id,
    configId: journeys.environment.configId,
    processTypes: artifact.processTypes,
    commitSha: deploy.commitSha,
    reason: 'deploy',
    createdBy: deploy.createdBy,
  })
}

/** The same artifact with the config as it stands now. */
async function makeConfigRelease(
  room: DeliveryRoom,
  tx: Transaction,
  journeys: Journeys,
  deploy: DeployRow,
): Promise<ReleaseRow | DeployEvent> {
  const { scope, environment } = journeys
  const live = environment.liveReleaseId && (await releaseById(tx, scope, environment.liveReleaseId))
  if (!live) return unneeded('Nothing is live: the next deploy carries the config.')
  if (live.configId === environment.configId) {
    return unneeded(`Release ${releaseName(live.version)}, which is live, carries the config already.`)
  }
  if (!(await room.builds.take(tx, scope, live.artifactId))) return artifactMissing
  return await createRelease(room, tx, scope, {
    ...copyOf(live, environment),
    configId: environment.configId,
    reason: 'config',
    createdBy: deploy.createdBy,
  })
}

/** The old release again, whole: its artifact, process types and config, which becomes the environment's. */
async function makeRollback(
  room: DeliveryRoom,
  tx: Transaction,
  journeys: Journeys,
  deploy: DeployRow,
): Promise<ReleaseRow> {
  const { scope, environment } = journeys
  const target = deploy.rollbackTo && (await releaseById(tx, scope, deploy.rollbackTo))
  if (!target || !(await room.builds.take(tx, scope, target.artifactId))) {
    const message = 'The release to go back to is no longer kept. `gantry releases` lists those that are.'
    throw new UserError('no_release_to_roll_back_to', message)
  }
  if (!deploy.keepConfig) await makeConfigCurrent(room, tx, journeys, target.configId)
  return await createRelease(room, tx, scope, {
    ...copyOf(target, journeys.environment),
    configId: deploy.keepConfig ? environment.configId : target.configId,
    reason: 'rollback',
    rollbackOf: target.version,
    createdBy: deploy.createdBy,
  })
}

function copyOf(release: ReleaseRow, environment: EnvironmentRow) {
  const artifactId: ArtifactId = release.artifactId
  return { environment, artifactId, processTypes: release.processTypes, commitSha: release.commitSha }
}

function unneeded(reason: string): DeployEvent {
  return { name: 'supersede', by: undefined, reason }
}

const artifactMissing: DeployEvent = {
  name: 'fail',
  code: 'artifact_missing',
  message: 'The files of the artifact are no longer there. Deploy the commit again.',
}
