import {
  createApp as createAppEndpoint,
  deleteApp as deleteAppEndpoint,
  getApp,
  listApps,
  updateApp as updateAppEndpoint,
} from '@gantry/api'
import { type BoundEndpoint, bind } from '../access/index.ts'
import { checkIfMatch } from '../kernel/entity-tag.ts'
import { pageLinks } from '../kernel/page-links.ts'
import type { AppRow } from './app.ts'
import { selectApps } from './app-store.ts'
import type { AppsDeps } from './apps-deps.ts'
import { configRoutes } from './config-routes.ts'
import { createApp } from './create-app.ts'
import { deleteApp } from './delete-app.ts'
import { environmentRoutes } from './environment-routes.ts'
import { findApp } from './find-app.ts'
import { updateApp } from './update-app.ts'
import { appView } from './views.ts'

/** The endpoints of apps, environments and config. */
export function appsRoutes(deps: AppsDeps): readonly BoundEndpoint[] {
  return [...appRoutes(deps), ...environmentRoutes(deps), ...configRoutes(deps)]
}

function appRoutes(deps: AppsDeps): readonly BoundEndpoint[] {
  const { db } = deps
  const checkOf = (ifMatch: string | undefined, baseUrl: string) => (app: AppRow) =>
    checkIfMatch(ifMatch, appView(app, baseUrl).etag)
  return [
    bind(listApps, async ({ scope, query, baseUrl }) => {
      const { rows, next } = await selectApps(db, scope, { name: query.name }, query)
      return {
        apps: rows.map((app) => appView(app, baseUrl)),
        ...pageLinks({ baseUrl, path: listApps.path, query }, next),
      }
    }),
    bind(createAppEndpoint, async ({ scope, body, baseUrl }) => appView(await createApp(deps, scope, body), baseUrl)),
    bind(getApp, async ({ scope, params, baseUrl }) => appView(await findApp(db, scope, params.id), baseUrl)),
    bind(updateAppEndpoint, async ({ scope, params, body, headers, baseUrl }) => {
      const { id } = await findApp(db, scope, params.id)
      const check = checkOf(headers.ifMatch, baseUrl)
      return appView(await updateApp(deps, scope, { id, patch: body, check }), baseUrl)
    }),
    bind(deleteAppEndpoint, async ({ scope, params, headers, baseUrl }) => {
      const { id } = await findApp(db, scope, params.id)
      await deleteApp(deps, scope, { id, check: checkOf(headers.ifMatch, baseUrl) })
      return undefined
    }),
  ]
}
