import type { Transaction } from '../../db/database.ts'
import type { DeliveryRoom } from '../delivery-deps.ts'
import { type DeployRow, needsBuild } from '../deploy.ts'
import type { DeployEvent } from '../deploy-state.ts'
import { countBuilding } from '../deploy-store.ts'
import { releaseEvents } from '../make-release.ts'
import { type Journeys, recordDeployEvents } from '../record-deploy-event.ts'
import { again, type Stage } from './stage.ts'
import { waitOrRelease } from './waiting.ts'

/** The end of another build wakes this one; the poll is for the case that it does not. */
const lookAgainMs = 2_000

/** Takes a place for the build, or goes on at once where there is nothing to build. */
export const queued: Stage = async (room, job) => {
  const deploy = await recordDeployEvents(room, job, async (tx, journeys, row) => {
    if (row.kind === 'rollback') return await releaseEvents(room, tx, journeys, row)
    if (needsBuild(row.kind)) return await beginBuild(room, tx, journeys, row)
    return [{ name: 'skip_build' }, ...(await waitOrRelease(room, tx, journeys, row))]
  })
  return deploy.status === 'queued' ? again(lookAgainMs) : 'next'
}

async function beginBuild(
  room: DeliveryRoom,
  tx: Transaction,
  { scope }: Journeys,
  deploy: DeployRow,
): Promise<readonly DeployEvent[]> {
  const building = await countBuilding(tx)
  if (building >= room.limits.builds) {
    const reason = `Waits for a build to end: ${room.limits.builds} run at once.`
    return deploy.waitReason === reason ? [] : [{ name: 'hold', reason }]
  }
  const { appId, environmentId, commitSha = '' } = deploy
  const buildId = await room.builds.create(tx, scope, { appId, environmentId, commitSha })
  return [{ name: 'build', buildId }]
}
