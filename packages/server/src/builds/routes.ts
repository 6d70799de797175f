import { type Build, getBuild, listBuilds as listBuildsEndpoint, toWireError } from '@gantry/api'
import { type BoundEndpoint, bind } from '../access/index.ts'
import { appReference, environmentReference, findApp, findEnvironment } from '../apps/index.ts'
import type { Database } from '../db/database.ts'
import { withEntityTag } from '../kernel/entity-tag.ts'
import { UserError } from '../kernel/errors.ts'
import { pageLinks } from '../kernel/page-links.ts'
import type { BuildRow } from './build.ts'
import { findBuild, listBuilds } from './build-store.ts'

/** The endpoints of builds. Their logs are the log room's. */
export function buildRoutes(db: Database): readonly BoundEndpoint[] {
  return [
    bind(listBuildsEndpoint, async ({ scope, query, baseUrl }) => {
      const { app_id, environment_id, status } = query
      const appId = app_id === undefined ? undefined : (await findApp(db, scope, app_id)).id
      const environmentId =
        environment_id === undefined ? undefined : (await findEnvironment(db, scope, environment_id)).id
      const { rows, next } = await listBuilds(db, scope, { appId, environmentId, status }, query)
      return {
        builds: rows.map((build) => buildView(build, baseUrl)),
        ...pageLinks({ baseUrl, path: listBuildsEndpoint.path, query }, next),
      }
    }),
    bind(getBuild, async ({ scope, params, baseUrl }) => {
      const build = await findBuild(db, scope, params.id)
      if (!build) throw new UserError('not_found', `There is no build ${params.id}.`)
      return buildView(build, baseUrl)
    }),
  ]
}

/** A build as the API shows it. `baseUrl` has no slash at the end. */
function buildView(build: BuildRow, baseUrl: string): Build {
  return withEntityTag({
    id: build.id,
    href: `${baseUrl}/v1/builds/${build.id}`,
    app: appReference({ id: build.appId, name: build.appName }, baseUrl),
    environment: environmentReference({ id: build.environmentId, name: build.environmentName }, baseUrl),
    commit_sha: build.commitSha,
    status: build.status,
    ...(build.builder !== undefined && { builder: build.builder }),
    ...(build.artifactDigest !== undefined && { artifact_digest: build.artifactDigest }),
    errors: build.error ? [toWireError(baseUrl, build.error)] : [],
    created_at: build.createdAt.toISOString(),
    ...(build.startedAt && { started_at: build.startedAt.toISOString() }),
    ...(build.finishedAt && { finished_at: build.finishedAt.toISOString() }),
  })
}
