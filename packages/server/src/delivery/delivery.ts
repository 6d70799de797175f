import type { BoundEndpoint, TeamScope } from '../access/index.ts'
import type { ConfigChanged, EnvironmentDeleted } from '../apps/index.ts'
import type { Transaction } from '../db/database.ts'
import type { DeployId, EnvironmentId } from '../kernel/ids.ts'
import type { WorkHandler } from '../work/work.ts'
import { createDeploy, type DeployRequest } from './create-deploy.ts'
import type { DeliveryDeps, DeliveryRoom } from './delivery-deps.ts'
import type { DeployRow } from './deploy.ts'
import { selectOpenDeployIds } from './deploy-store.ts'
import { createDeployWatch } from './deploy-watch.ts'
import { configChanged, environmentDeleted } from './environment-events.ts'
import { type FollowedDeploy, followDeploys } from './follow-deploys.ts'
import { handleDeploy } from './handle-deploy.ts'
import { deployPush, type PushedCommit } from './push-listener.ts'
import { deliveryRoutes } from './routes.ts'

/** The journey that makes releases live. Also what earlier rooms tell delivery through ports of their own. */
export interface Delivery extends ConfigChanged, EnvironmentDeleted {
  readonly routes: readonly BoundEndpoint[]
  /** Begins a deploy in the caller's transaction; what has not switched yet in its environment is superseded. */
  createDeploy(tx: Transaction, scope: TeamScope, request: DeployRequest): Promise<DeployRow>
  /** Work `deploy`; the subject is the deploy's id. Each runs for as long as its build, so many at once. */
  readonly handleDeploy: WorkHandler
  readonly pushListener: {
    accepted(tx: Transaction, push: PushedCommit): Promise<readonly DeployId[]>
    follow(ids: readonly DeployId[], signal: AbortSignal): AsyncIterable<FollowedDeploy>
  }
  /** The running loop has switched a route, or says why it cannot: the deploys of the environment look. */
  rolloutChanged(tx: Transaction, environmentId: EnvironmentId): Promise<void>
}

export function createDelivery(deps: DeliveryDeps): Delivery {
  const room: DeliveryRoom = { ...deps, watch: createDeployWatch(deps.db) }
  return {
    routes: deliveryRoutes(room),
    createDeploy: (tx, scope, request) => createDeploy(room, tx, scope, request),
    handleDeploy: handleDeploy(room),
    pushListener: {
      accepted: (tx, push) => deployPush(room, tx, push),
      follow: (ids, signal) => followDeploys(room, ids, signal),
    },
    configChanged: (tx, scope, change) => configChanged(room, tx, scope, change),
    environmentDeleted: (tx, scope, environment) => environmentDeleted(room, tx, scope, environment),
    async rolloutChanged(tx, environmentId) {
      for (const id of await selectOpenDeployIds(tx, environmentId)) await room.work.enqueue(tx, 'deploy', id)
    },
  }
}
