import { createSource, getSource, type Source as SourceResource } from '@gantry/api'
import { type BoundEndpoint, bind } from '../access/index.ts'
import { appReference, findApp } from '../apps/index.ts'
import { withEntityTag } from '../kernel/entity-tag.ts'
import { UserError } from '../kernel/errors.ts'
import type { Source, SourceDeps } from './source.ts'
import { insertSource, type SourceRow, selectSource } from './source-store.ts'

export interface SourceRoutesDeps extends Pick<SourceDeps, 'db' | 'clock' | 'newId'> {
  readonly importTar: Source['importTar']
}

/** The endpoints of uploaded trees. */
export function sourceRoutes(deps: SourceRoutesDeps): readonly BoundEndpoint[] {
  const { db, clock, newId } = deps
  return [
    bind(createSource, async ({ scope, principal, query, upload, baseUrl }) => {
      const app = await findApp(db, scope, query.app_id)
      const id = newId('source')
      const tree = await deps.importTar(app.repositoryId, id, upload)
      const facts = { ...tree, id, appId: app.id, createdAt: clock.now() }
      await insertSource(db, scope, { ...facts, createdBy: principal.personName })
      return sourceView({ ...facts, appName: app.name }, baseUrl)
    }),
    bind(getSource, async ({ scope, params, baseUrl }) => {
      const source = await selectSource(db, scope, params.id)
      if (!source) throw new UserError('not_found', `There is no source ${params.id}, or this token may not see it.`)
      return sourceView(source, baseUrl)
    }),
  ]
}

function sourceView(source: SourceRow, baseUrl: string): SourceResource {
  return withEntityTag({
    id: source.id,
    href: `${baseUrl}/v1/sources/${source.id}`,
    app: appReference({ id: source.appId, name: source.appName }, baseUrl),
    commit_sha: source.commitSha,
    size_bytes: source.sizeBytes,
    file_count: source.fileCount,
    created_at: source.createdAt.toISOString(),
  })
}
