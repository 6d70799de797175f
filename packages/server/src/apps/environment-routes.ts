import {
  createEnvironment as createEnvironmentEndpoint,
  deleteEnvironment as deleteEnvironmentEndpoint,
  type Environment,
  getEnvironment,
  listEnvironments,
  restartEnvironment as restartEnvironmentEndpoint,
  updateEnvironment,
} from '@gantry/api'
import { type BoundEndpoint, bind, type TeamScope } from '../access/index.ts'
import type { Queryable } from '../db/database.ts'
import { checkIfMatch } from '../kernel/entity-tag.ts'
import { pageLinks } from '../kernel/page-links.ts'
import type { AppsDeps } from './apps-deps.ts'
import { type EnvironmentCheck, restartEnvironment, scaleEnvironment } from './change-environment.ts'
import { createEnvironment } from './create-environment.ts'
import { deleteEnvironment } from './delete-app.ts'
import type { EnvironmentRow } from './environment.ts'
import { selectEnvironmentFacts } from './environment-facts-store.ts'
import { selectEnvironments } from './environment-store.ts'
import { findApp, findEnvironment } from './find-app.ts'
import { environmentView } from './views.ts'

interface Viewer {
  readonly scope: TeamScope
  readonly baseUrl: string
}

export function environmentRoutes(deps: AppsDeps): readonly BoundEndpoint[] {
  const { db, site } = deps
  const view = async (environment: EnvironmentRow, { scope, baseUrl }: Viewer, at: Queryable = db) => {
    const facts = await selectEnvironmentFacts(at, scope, [environment.id])
    return environmentView(environment, facts.get(environment.id), { baseUrl, site })
  }
  const checkOf =
    (viewer: Viewer, ifMatch: string | undefined): EnvironmentCheck =>
    async (tx, environment) => {
      if (ifMatch !== undefined) checkIfMatch(ifMatch, (await view(environment, viewer, tx)).etag)
    }
  return [
    bind(listEnvironments, async ({ scope, query, baseUrl }) => {
      const appId = query.app_id === undefined ? undefined : (await findApp(db, scope, query.app_id)).id
      const { rows, next } = await selectEnvironments(db, scope, { appId }, query)
      const facts = await selectEnvironmentFacts(
        db,
        scope,
        rows.map((row) => row.id),
      )
      const environments: Environment[] = rows.map((row) => environmentView(row, facts.get(row.id), { baseUrl, site }))
      return { environments, ...pageLinks({ baseUrl, path: listEnvironments.path, query }, next) }
    }),
    bind(createEnvironmentEndpoint, async ({ scope, body, baseUrl }) => {
      const prototype = { app: body.app.id, name: body.name }
      return await view(await createEnvironment(deps, scope, prototype), { scope, baseUrl })
    }),
    bind(getEnvironment, async ({ scope, params, baseUrl }) => {
      return await view(await findEnvironment(db, scope, params.id), { scope, baseUrl })
    }),
    bind(updateEnvironment, async ({ scope, params, body, headers, baseUrl }) => {
      const { id } = await findEnvironment(db, scope, params.id)
      const check = checkOf({ scope, baseUrl }, headers.ifMatch)
      const environment = await scaleEnvironment(deps, scope, { id, patch: body.scale ?? {}, check })
      return await view(environment, { scope, baseUrl })
    }),
    bind(restartEnvironmentEndpoint, async ({ scope, params, headers, baseUrl }) => {
      const { id } = await findEnvironment(db, scope, params.id)
      const check = checkOf({ scope, baseUrl }, headers.ifMatch)
      return await view(await restartEnvironment(deps, scope, { id, check }), { scope, baseUrl })
    }),
    bind(deleteEnvironmentEndpoint, async ({ scope, params, headers, baseUrl }) => {
      const { id } = await findEnvironment(db, scope, params.id)
      await deleteEnvironment(deps, scope, { id, check: checkOf({ scope, baseUrl }, headers.ifMatch) })
      return undefined
    }),
  ]
}
