import { releaseById, releaseName } from '../../releases/index.ts'
import type { DeliveryRoom } from '../delivery-deps.ts'
import { type DeployJob, recordDeployEvents } from '../record-deploy-event.ts'
import type { Stage } from './stage.ts'

/** A release is live when every router sends its requests there. Nothing else is watched for yet. */
export const watching: Stage = async (room, job) => {
  room.failpoint('deploy.acknowledge.before')
  await room.rollouts.acknowledged(job.deploy.environmentId, job.signal)
  room.failpoint('deploy.acknowledge.after')
  const message = await describe(room, job)
  await recordDeployEvents(room, job, async () => [{ name: 'settle', message }])
  return 'next'
}

async function describe(room: DeliveryRoom, { scope, deploy }: DeployJob): Promise<string> {
  const release = deploy.releaseId && (await releaseById(room.db, scope, deploy.releaseId))
  const seconds = (room.clock.now().getTime() - deploy.createdAt.getTime()) / 1000
  return `Release ${release ? releaseName(release.version) : ''} is live after ${seconds.toFixed(2)} s.`
}
