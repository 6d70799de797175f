import { findApp, findEnvironment } from '../../apps/index.ts'
import { UserError } from '../../kernel/errors.ts'
import { buildStream } from '../../logs/index.ts'
import type { DeliveryRoom } from '../delivery-deps.ts'
import { type DeployJob, recordDeployEvents } from '../record-deploy-event.ts'
import { endUnwanted, whileWanted } from '../while-wanted.ts'
import type { Stage } from './stage.ts'
import { waitOrRelease } from './waiting.ts'

/** Runs the build to its end, or ends it when it is no longer wanted. */
export const building: Stage = async (room, job) => {
  room.failpoint('deploy.build.before')
  const result = await whileWanted(room, job, (signal) => runBuild(room, job, signal))
  room.failpoint('deploy.build.after')
  if (result.kind === 'unwanted') return await endUnwanted(room, job, endBuild)
  if (result.kind === 'failed') {
    if (!(result.error instanceof UserError)) throw result.error
    const { code, message } = result.error
    await recordDeployEvents(room, job, async () => [{ name: 'fail', code, message }])
    return 'next'
  }
  await recordDeployEvents(room, job, async (tx, journeys, deploy) => [
    { name: 'built' },
    ...(await waitOrRelease(room, tx, journeys, deploy)),
  ])
  return 'next'
}

async function runBuild(room: DeliveryRoom, job: DeployJob, signal: AbortSignal): Promise<void> {
  const { scope, deploy } = job
  const build = buildOf(job)
  if (!build) throw new Error(`deploy ${deploy.id} is building without a build`)
  const app = await findApp(room.db, scope, deploy.appId)
  const { buildConfigId } = await findEnvironment(room.db, scope, deploy.environmentId)
  const buildConfig = buildConfigId ? await room.apps.readConfig(room.db, scope, buildConfigId) : {}
  const stream = buildStream(build.appId, build.id)
  const log = (line: string) => room.logs.append(stream, 'build', [line])
  await room.builds.run({ build, app, buildConfig, log, fence: job.fence }, signal)
}

/** Ends the build of a deploy that is over, or is about to be. One that has ended stays as it is. */
export async function endBuild(room: DeliveryRoom, job: DeployJob): Promise<void> {
  const build = buildOf(job)
  if (!build) return
  const isSuperseded = job.deploy.status === 'superseded'
  const message = isSuperseded ? 'A newer deploy took the place of this one.' : 'The deploy was cancelled.'
  await room.builds.cancel({ build, fence: job.fence }, { code: 'build_cancelled', message })
}

function buildOf({ deploy }: DeployJob) {
  const { buildId: id, teamId, appId, environmentId, commitSha } = deploy
  return id && commitSha ? { id, teamId, appId, environmentId, commitSha } : undefined
}
