import { SpecRejected } from '../../engines/engine.ts'
import { releaseById } from '../../releases/index.ts'
import type { DeliveryRoom } from '../delivery-deps.ts'
import { streamOf } from '../deploy.ts'
import { isOtherCleaningUp } from '../deploy-store.ts'
import { type DeployJob, recordDeployEvents } from '../record-deploy-event.ts'
import { endReleasePhase, releasePhaseFailure, runReleasePhase } from '../release-phase.ts'
import { endUnwanted, whileWanted } from '../while-wanted.ts'
import { again, type Stage } from './stage.ts'

const linesShown = 10

/** A release phase that is being stopped has a few seconds for it. */
const lookAgainMs = 100

/**
 * Runs the release phase, where there is one, and lets the release roll out when it ends well. That of a deploy which this
 * one superseded ends first: two of them would migrate one database at once.
 */
export const releasing: Stage = async (room, job) => {
  const release = job.deploy.releaseId && (await releaseById(room.db, job.scope, job.deploy.releaseId))
  if (!release) throw new Error(`deploy ${job.deploy.id} is releasing without a release`)
  if (release.processTypes.release && (await isOtherCleaningUp(room.db, job.scope, job.deploy))) {
    return job.deploy.cancelRequestedAt ? await endUnwanted(room, job, async () => undefined) : again(lookAgainMs)
  }
  room.failpoint('deploy.release_phase.before')
  const result = await whileWanted(room, job, (signal) => runReleasePhase(room, job, release, signal))
  room.failpoint('deploy.release_phase.after')
  if (result.kind === 'unwanted') return await endUnwanted(room, job, endReleasePhase)
  if (result.kind === 'failed') {
    if (!(result.error instanceof SpecRejected)) throw result.error
    const message = `The engine refused the release phase: ${result.error.message}`
    await recordDeployEvents(room, job, async () => [{ name: 'fail', code: 'artifact_unsupported', message }])
    return 'next'
  }
  const lines = result.value ? await lastLines(room, job) : []
  const failure = result.value && releasePhaseFailure(result.value, lines, room.limits.releasePhaseMs)
  await recordDeployEvents(room, job, async (_tx, { environment }) => [
    failure ?? { name: 'roll_out', previousReleaseId: environment.liveReleaseId },
  ])
  return 'next'
}

async function lastLines(room: DeliveryRoom, job: DeployJob): Promise<readonly string[]> {
  const lines = await room.logs.last(streamOf(job.deploy), linesShown, 'release')
  return lines.map((line) => line.message)
}
