import { systemScope } from '../access/index.ts'
import { Fenced } from '../engines/engine.ts'
import { messageOf } from '../kernel/errors.ts'
import type { WorkHandler, WorkItem, WorkOutcome } from '../work/work.ts'
import type { DeliveryRoom } from './delivery-deps.ts'
import { type DeployStatus, IllegalTransition, isOpen } from './deploy-state.ts'
import { selectDeployForWork } from './deploy-store.ts'
import { type DeployJob, JourneyOver, recordDeployEvents } from './record-deploy-event.ts'
import { building } from './stages/building.ts'
import { ended } from './stages/ended.ts'
import { queued } from './stages/queued.ts'
import { releasing } from './stages/releasing.ts'
import { rollingOut } from './stages/rolling-out.ts'
import { again, done, type Stage, type StageOutcome } from './stages/stage.ts'
import { waiting } from './stages/waiting.ts'
import { watching } from './stages/watching.ts'

const stages: Readonly<Record<DeployStatus, Stage>> = {
  queued,
  building,
  waiting,
  releasing,
  rolling_out: rollingOut,
  watching,
  live: ended,
  failed: ended,
  cancelled: ended,
  superseded: ended,
  rolled_back: ended,
}

/** More than a journey has: a deploy that gets nowhere must not keep its handler. */
const stepsAtOnce = 30

/** Work `deploy`: takes a deploy from where its row stands as far as it goes now. */
export function handleDeploy(room: DeliveryRoom): WorkHandler {
  return async (item, signal) => {
    for (let step = 0; step < stepsAtOnce; step++) {
      signal.throwIfAborted()
      const deploy = await selectDeployForWork(room.db, item.subject)
      if (!deploy) return done
      const job = { scope: systemScope(deploy.teamId), deploy, fence: item.fence, signal }
      const outcome = await runStage(room, job, item)
      if (outcome !== 'next') return outcome
    }
    return again(1_000)
  }
}

async function runStage(room: DeliveryRoom, job: DeployJob, item: WorkItem): Promise<StageOutcome> {
  try {
    return await stages[job.deploy.status](room, job)
  } catch (error) {
    // somebody else moved the deploy: look where it is now
    if (error instanceof JourneyOver || error instanceof IllegalTransition) return 'next'
    if (error instanceof Fenced || job.signal.aborted) throw error
    if (item.attempt < room.limits.attempts || !isOpen(job.deploy.status)) throw error
    return await giveUp(room, job, error)
  }
}

/** What cannot be done again and again is not tried for ever: the user is told, and may retry. */
async function giveUp(room: DeliveryRoom, job: DeployJob, error: unknown): Promise<WorkOutcome | 'next'> {
  room.log.error({ deploy: job.deploy.id, status: job.deploy.status, error }, 'a deploy was given up')
  if (job.deploy.status === 'watching') throw error
  const message = `Gantry could not go on with this deploy: ${messageOf(error)}. Retry it; the running release was not touched.`
  await recordDeployEvents(room, job, async () => [{ name: 'fail', code: 'interrupted', message }])
  return 'next'
}
