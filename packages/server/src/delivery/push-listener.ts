import type { TeamScope } from '../access/index.ts'
import { appsByRepository, environmentByName, productionName } from '../apps/index.ts'
import type { Transaction } from '../db/database.ts'
import type { DeployId, PushId, RepositoryId } from '../kernel/ids.ts'
import { createDeploy } from './create-deploy.ts'
import type { DeliveryRoom } from './delivery-deps.ts'

/** A ref update that has been accepted, as far as deploys need it. */
export interface PushedCommit {
  readonly pushId: PushId
  readonly scope: TeamScope
  readonly repositoryId: RepositoryId
  /** `refs/heads/main`. */
  readonly ref: string
  readonly newSha: string
  readonly createdBy: string
}

const branches = 'refs/heads/'

/** Begins a deploy of production for every app that the repository feeds and whose branch was pushed. */
export async function deployPush(
  room: DeliveryRoom,
  tx: Transaction,
  push: PushedCommit,
): Promise<readonly DeployId[]> {
  const isDeletion = /^0+$/.test(push.newSha)
  if (isDeletion || !push.ref.startsWith(branches)) return []
  const branch = push.ref.slice(branches.length)
  const apps = (await appsByRepository(tx, push.repositoryId)).filter((app) => app.branch === branch)
  const environments = await Promise.all(apps.map((app) => environmentByName(tx, push.scope, app.id, productionName)))
  const ids: DeployId[] = []
  // in the order of their ids, so that two transactions that lock several do not wait for each other
  for (const environment of environments.sort((a, b) => ((a?.id ?? '') < (b?.id ?? '') ? -1 : 1))) {
    if (!environment) continue
    const { pushId, newSha: commitSha, createdBy } = push
    const request = { kind: 'push', environmentId: environment.id, commitSha, pushId, createdBy } as const
    ids.push((await createDeploy(room, tx, push.scope, request)).id)
  }
  return ids
}
