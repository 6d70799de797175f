import type { Transaction } from '../db/database.ts'
import type { DeployId, PushId, ReleaseId, SourceId } from '../kernel/ids.ts'
import type { DeliveryRoom } from './delivery-deps.ts'
import { type DeployKind, type DeployRow, shortSha, streamOf } from './deploy.ts'
import { insertDeploy, insertHistory } from './deploy-store.ts'
import { applyDeployEvents, type Journeys } from './record-deploy-event.ts'
import { displacedBy } from './supersede-rules.ts'

export interface DeployPrototype {
  readonly kind: DeployKind
  readonly commitSha?: string | undefined
  readonly sourceId?: SourceId | undefined
  readonly pushId?: PushId | undefined
  readonly rollbackTo?: ReleaseId | undefined
  readonly keepConfig?: boolean | undefined
  readonly retryOf?: DeployId | undefined
  readonly createdBy: string
}

/** Writes a new deploy, queued, ends those whose place it takes, and asks for work on it. */
export async function createDeployRow(
  room: DeliveryRoom,
  tx: Transaction,
  journeys: Journeys,
  prototype: DeployPrototype,
): Promise<DeployRow> {
  const { scope, environment } = journeys
  const { superseded, finished } = displacedBy(prototype.kind, journeys.open, environment.liveReleaseId)
  const deploy = newDeploy(room, journeys, prototype)
  const asked = { at: deploy.createdAt, to: deploy.status, message: describe(deploy) }
  await insertDeploy(tx, scope, deploy)
  await insertHistory(tx, scope, deploy.id, asked)
  for (const other of finished) {
    const settle = { name: 'settle', message: 'The release is live; a newer deploy has begun.' } as const
    const events = other.status === 'watching' ? [settle] : [{ name: 'switch' } as const, settle]
    await applyDeployEvents(room, tx, journeys, { deploy: other, events })
  }
  for (const other of superseded) {
    const reason = `A newer deploy, ${deploy.id}, took the place of this one.`
    await applyDeployEvents(room, tx, journeys, {
      deploy: other,
      events: [{ name: 'supersede', by: deploy.id, reason }],
    })
  }
  journeys.open = [...journeys.open, deploy]
  await room.work.enqueue(tx, 'deploy', deploy.id)
  tx.afterCommit(() => room.logs.append(streamOf(deploy), 'deploy', [asked.message]))
  room.failpoint('deploy.queued.before')
  tx.afterCommit(() => room.failpoint('deploy.queued.after'))
  return deploy
}

function newDeploy(room: DeliveryRoom, { environment }: Journeys, prototype: DeployPrototype): DeployRow {
  const now = room.clock.now()
  const { kind, commitSha, sourceId, pushId, rollbackTo, keepConfig = false, retryOf, createdBy } = prototype
  return {
    id: room.newId('deploy'),
    teamId: environment.teamId,
    appId: environment.appId,
    environmentId: environment.id,
    kind,
    status: 'queued',
    keepConfig,
    createdBy,
    createdAt: now,
    updatedAt: now,
    ...(commitSha && { commitSha }),
    ...(sourceId && { sourceId }),
    ...(pushId && { pushId }),
    ...(rollbackTo && { rollbackTo }),
    ...(retryOf && { retryOf }),
  }
}

function describe(deploy: DeployRow): string {
  if (deploy.kind === 'config') return 'The config has changed.'
  if (deploy.kind === 'rollback') return 'A rollback has been asked for.'
  return `Commit ${shortSha(deploy.commitSha ?? '')} is to be deployed.`
}
