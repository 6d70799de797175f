import { getRelease, listReleases, type Release } from '@gantry/api'
import { type BoundEndpoint, bind } from '../access/index.ts'
import { appReference, environmentReference, findApp, findEnvironment, releaseReference } from '../apps/index.ts'
import type { Database } from '../db/database.ts'
import { withEntityTag } from '../kernel/entity-tag.ts'
import { UserError } from '../kernel/errors.ts'
import { pageLinks } from '../kernel/page-links.ts'
import { type ShownRelease, selectShownRelease, selectShownReleases } from './release-store.ts'

export function releaseRoutes(db: Database): readonly BoundEndpoint[] {
  return [
    bind(listReleases, async ({ scope, query, baseUrl }) => {
      const appId = query.app_id === undefined ? undefined : (await findApp(db, scope, query.app_id)).id
      const environmentId =
        query.environment_id === undefined ? undefined : (await findEnvironment(db, scope, query.environment_id)).id
      const { rows, next } = await selectShownReleases(db, scope, { appId, environmentId }, query)
      return {
        releases: rows.map((release) => releaseView(release, baseUrl)),
        ...pageLinks({ baseUrl, path: listReleases.path, query }, next),
      }
    }),
    bind(getRelease, async ({ scope, params, baseUrl }) => {
      const release = await selectShownRelease(db, scope, params.id)
      if (release) return releaseView(release, baseUrl)
      throw new UserError('not_found', `There is no release ${params.id}, or this token may not see it.`)
    }),
  ]
}

function releaseView(release: ShownRelease, baseUrl: string): Release {
  const { rollbackOf, rollbackOfId } = release
  return withEntityTag({
    ...releaseReference(release, baseUrl),
    version: release.version,
    app: appReference({ id: release.appId, name: release.appName }, baseUrl),
    environment: environmentReference({ id: release.environmentId, name: release.environmentName }, baseUrl),
    artifact_digest: release.artifactDigest,
    ...(release.commitSha && { commit_sha: release.commitSha }),
    process_types: release.processTypes,
    ...(rollbackOf !== undefined &&
      rollbackOfId && { rollback_of: releaseReference({ id: rollbackOfId, version: rollbackOf }, baseUrl) }),
    reason: release.reason,
    is_live: release.isLive,
    created_by: release.createdBy,
    created_at: release.createdAt.toISOString(),
  })
}
