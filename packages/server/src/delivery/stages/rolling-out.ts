import { findEnvironment } from '../../apps/index.ts'
import type { DeployEvent } from '../deploy-state.ts'
import { recordDeployEvents } from '../record-deploy-event.ts'
import { again, type Stage } from './stage.ts'

/** The running loop asks for work on the deploy when something changes; the poll is for the case that it does not. */
const lookAgainMs = 5_000

/** Waits for the running loop to switch the route to the release, or to say why it cannot. */
export const rollingOut: Stage = async (room, job) => {
  const seen = await findEnvironment(room.db, job.scope, job.deploy.environmentId)
  if (!outcomeOf(seen, job.deploy.releaseId) && !job.deploy.cancelRequestedAt) {
    await room.work.enqueue(room.db, 'environment', seen.id)
    return again(lookAgainMs)
  }
  const deploy = await recordDeployEvents(room, job, async (_tx, { environment }, { releaseId }) => {
    const outcome = outcomeOf(environment, releaseId)
    return outcome ? [outcome] : []
  })
  return deploy.status === 'rolling_out' ? again(lookAgainMs) : 'next'
}

function outcomeOf(
  environment: Awaited<ReturnType<typeof findEnvironment>>,
  releaseId: string | undefined,
): DeployEvent | undefined {
  if (releaseId === undefined) return undefined
  if (environment.liveReleaseId === releaseId) return { name: 'switch' }
  if (environment.rolloutError?.releaseId !== releaseId) return undefined
  const { code, message } = environment.rolloutError
  return { name: 'fail', code, message }
}
