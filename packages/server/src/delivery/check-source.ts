import type { TeamScope } from '../access/index.ts'
import { type EnvironmentRow, findApp } from '../apps/index.ts'
import { UserError } from '../kernel/errors.ts'
import type { DeployPrototype } from './create-deploy-row.ts'
import type { DeliveryRoom } from './delivery-deps.ts'

/** What `create_deploy` asks for, checked. Throws `source_not_found`, `commit_not_found`, `not_found`. */
export async function checkedSource(
  room: DeliveryRoom,
  scope: TeamScope,
  environment: EnvironmentRow,
  wanted: { readonly sourceId?: string | undefined; readonly commitSha?: string | undefined },
): Promise<Pick<DeployPrototype, 'kind' | 'sourceId' | 'commitSha'>> {
  if (wanted.sourceId !== undefined) {
    const source = await room.sources.find(room.db, scope, wanted.sourceId)
    if (source?.appId === environment.appId) {
      return { kind: 'upload', sourceId: wanted.sourceId as DeployPrototype['sourceId'], commitSha: source.commitSha }
    }
    throw new UserError('source_not_found', `There is no uploaded source ${wanted.sourceId} of this app.`, {
      target: { type: 'field', name: 'source.id' },
    })
  }
  const { repositoryId } = await findApp(room.db, scope, environment.appId)
  const { commitSha = '' } = wanted
  if (await room.sources.hasCommit(repositoryId, commitSha)) return { kind: 'commit', commitSha }
  throw new UserError('commit_not_found', `The repository has no commit ${commitSha}. Push it first.`, {
    target: { type: 'field', name: 'commit_sha' },
  })
}
