import type { TeamScope } from '../access/index.ts'
import { type EnvironmentRow, lockEnvironment } from '../apps/index.ts'
import type { Transaction } from '../db/database.ts'
import { Fenced } from '../engines/engine.ts'
import { UserError } from '../kernel/errors.ts'
import type { EnvironmentId } from '../kernel/ids.ts'
import type { DeliveryRoom } from './delivery-deps.ts'
import { type DeployRow, streamOf } from './deploy.ts'
import { type DeployEvent, isOpen, transition } from './deploy-state.ts'
import { insertHistory, lockOpenDeploys, selectFence, updateDeploy } from './deploy-store.ts'
import { type FollowUpOptions, followUp } from './follow-up.ts'
import { hasSwitched } from './supersede-rules.ts'

/** An environment and its open deploys, locked; kept as they stand in the transaction. */
export interface Journeys {
  readonly scope: TeamScope
  environment: EnvironmentRow
  open: readonly DeployRow[]
}

/** Work on one deploy: the row as it was read, and the number that fences off whoever worked on it before. */
export interface DeployJob {
  readonly scope: TeamScope
  readonly deploy: DeployRow
  readonly fence: number
  /** Aborts when somebody else may work on it. */
  readonly signal: AbortSignal
}

/** The deploy has ended meanwhile, or its environment is gone: there is nothing to record any more. */
export class JourneyOver extends Error {
  override readonly name = 'JourneyOver'
}

/** The environment first, then its deploys: everybody locks in this order. */
export async function lockJourneys(tx: Transaction, scope: TeamScope, id: EnvironmentId): Promise<Journeys> {
  const environment = await lockEnvironment(tx, scope, id)
  return { scope, environment, open: await lockOpenDeploys(tx, scope, id) }
}

/**
 * One transaction: lock, decide, move, write the history, and do what follows from it. `decide` sees everything locked
 * and says what happened; nothing, when nothing did. A cancellation that was asked for meanwhile takes precedence.
 */
export async function recordDeployEvents(
  room: DeliveryRoom,
  job: DeployJob,
  decide: (tx: Transaction, journeys: Journeys, deploy: DeployRow) => Promise<readonly DeployEvent[]>,
): Promise<DeployRow> {
  return await room.db.transaction(async (tx) => {
    const journeys = await lockJourneysOrOver(tx, job)
    const fence = await selectFence(tx, job.deploy.id)
    if (fence !== undefined && fence > job.fence)
      throw new Fenced(`work ${fence} has taken over deploy ${job.deploy.id}`)
    const deploy = journeys.open.find((row) => row.id === job.deploy.id)
    if (!deploy) throw new JourneyOver(`deploy ${job.deploy.id} has ended`)
    const isCancelled = deploy.cancelRequestedAt && !hasSwitched(deploy, journeys.environment.liveReleaseId)
    const events: readonly DeployEvent[] = isCancelled ? [{ name: 'cancel' }] : await decide(tx, journeys, deploy)
    return await applyDeployEvents(room, tx, journeys, { deploy, events, options: { isAtWork: true } })
  })
}

export async function lockJourneysOrOver(tx: Transaction, job: DeployJob): Promise<Journeys> {
  try {
    return await lockJourneys(tx, job.scope, job.deploy.environmentId)
  } catch (error) {
    if (!(error instanceof UserError && error.code === 'not_found')) throw error
    throw new JourneyOver('the environment has been deleted', { cause: error })
  }
}

/** The same within a transaction of the caller's, who has locked the journeys. */
export async function applyDeployEvents(
  room: DeliveryRoom,
  tx: Transaction,
  journeys: Journeys,
  step: {
    readonly deploy: DeployRow
    readonly events: readonly DeployEvent[]
    readonly options?: FollowUpOptions
  },
): Promise<DeployRow> {
  let deploy = step.deploy
  for (const event of step.events) {
    const { next, history, followUps } = transition(deploy, event, room.clock.now())
    deploy = next
    await updateDeploy(tx, journeys.scope, deploy)
    await insertHistory(tx, journeys.scope, deploy.id, history)
    journeys.open = journeys.open.map((row) => (row.id === next.id ? next : row)).filter((row) => isOpen(row.status))
    for (const each of followUps) await followUp(room, tx, journeys, { deploy, followUp: each, options: step.options })
    tx.afterCommit(() => room.logs.append(streamOf(next), 'deploy', [history.message]))
    room.failpoint(`deploy.${history.to}.before`)
    tx.afterCommit(() => room.failpoint(`deploy.${history.to}.after`))
  }
  return deploy
}
