import type { BoundEndpoint, TeamScope } from '../access/index.ts'
import type { Queryable, Transaction } from '../db/database.ts'
import type { ConfigId } from '../kernel/ids.ts'
import type { WorkHandler } from '../work/work.ts'
import type { AppRow } from './app.ts'
import type { AppsDeps } from './apps-deps.ts'
import type { Variables } from './config.ts'
import { type AppPrototype, createApp, makeMissingRepositories } from './create-app.ts'
import { appsRoutes } from './routes.ts'
import { type ConfigChangeRequest, readConfig, setConfig } from './set-config.ts'
import { takeDownApp, takeDownEnvironment } from './take-down.ts'

/** What needs more than rows. Reading rows needs no `Apps`: see the functions of the room's door. */
export interface Apps {
  readonly routes: readonly BoundEndpoint[]
  create(scope: TeamScope, prototype: AppPrototype): Promise<AppRow>
  /** At start: makes the folders that a crash left unmade. */
  makeMissingRepositories(): Promise<void>
  /** The variables of one version of a config, decrypted. */
  readConfig(db: Queryable, scope: TeamScope, id: ConfigId): Promise<Variables>
  setConfig(tx: Transaction, scope: TeamScope, request: ConfigChangeRequest): ReturnType<typeof setConfig>
  /** Work `delete_app` and `delete_environment`. */
  readonly takeDownApp: WorkHandler
  readonly takeDownEnvironment: WorkHandler
}

export function createApps(deps: AppsDeps): Apps {
  return {
    routes: appsRoutes(deps),
    create: (scope, prototype) => createApp(deps, scope, prototype),
    makeMissingRepositories: () => makeMissingRepositories(deps),
    readConfig: (db, scope, id) => readConfig(deps, db, scope, id),
    setConfig: (tx, scope, request) => setConfig(deps, tx, scope, request),
    takeDownApp: takeDownApp(deps),
    takeDownEnvironment: takeDownEnvironment(deps),
  }
}
