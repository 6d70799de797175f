import { findBuild, isOver } from '../../builds/index.ts'
import { releaseById } from '../../releases/index.ts'
import { beginConfigDeploy } from '../config-deploy.ts'
import type { DeliveryRoom } from '../delivery-deps.ts'
import { hasSupersededConfig } from '../deploy-store.ts'
import { type DeployJob, JourneyOver, lockJourneysOrOver } from '../record-deploy-event.ts'
import { endReleasePhase } from '../release-phase.ts'
import { endBuild } from './building.ts'
import { done, type Stage } from './stage.ts'

/** Ends what a deploy that is over has begun outside the database. Repeating it does no harm. */
export const ended: Stage = async (room, job) => {
  room.failpoint('deploy.clean_up.before')
  await endOpenBuild(room, job)
  await endOpenReleasePhase(room, job)
  await resumeConfig(room, job)
  room.failpoint('deploy.clean_up.after')
  return done
}

async function endOpenBuild(room: DeliveryRoom, job: DeployJob): Promise<void> {
  const build = job.deploy.buildId && (await findBuild(room.db, job.scope, job.deploy.buildId))
  if (build && !isOver(build.status)) await endBuild(room, job)
}

async function endOpenReleasePhase(room: DeliveryRoom, job: DeployJob): Promise<void> {
  const release = job.deploy.releaseId && (await releaseById(room.db, job.scope, job.deploy.releaseId))
  if (release?.processTypes.release) await endReleasePhase(room, job)
}

/**
 * A change of config whose place this deploy took, to carry it along, goes on by itself when this one did not get there.
 * Only when nothing else is on its way, which would carry it. A change of config carries older ones itself: what became of
 * it is the answer to all of them.
 */
async function resumeConfig(room: DeliveryRoom, job: DeployJob): Promise<void> {
  const { scope, deploy } = job
  if (deploy.kind === 'config' || (deploy.status !== 'failed' && deploy.status !== 'cancelled')) return
  if (!(await hasSupersededConfig(room.db, scope, deploy.id))) return
  try {
    await room.db.transaction(async (tx) => {
      const journeys = await lockJourneysOrOver(tx, job)
      const { configId, liveReleaseId } = journeys.environment
      const live = liveReleaseId && (await releaseById(tx, scope, liveReleaseId))
      if (journeys.open.length > 0 || !live || live.configId === configId) return
      await beginConfigDeploy(room, tx, journeys, deploy.createdBy)
    })
  } catch (error) {
    if (!(error instanceof JourneyOver)) throw error
  }
}
