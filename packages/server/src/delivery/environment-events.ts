import type { TeamScope } from '../access/index.ts'
import type { ConfigChange, EnvironmentRow } from '../apps/index.ts'
import type { Transaction } from '../db/database.ts'
import type { DeployId } from '../kernel/ids.ts'
import { beginConfigDeploy } from './config-deploy.ts'
import type { DeliveryRoom } from './delivery-deps.ts'
import type { DeployEvent } from './deploy-state.ts'
import { applyDeployEvents, lockJourneys } from './record-deploy-event.ts'
import { hasSwitched } from './supersede-rules.ts'

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
