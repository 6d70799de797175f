import type { TeamScope } from '../access/index.ts'
import type { Transaction } from '../db/database.ts'
import { UserError } from '../kernel/errors.ts'
import type { AppId, EnvironmentId } from '../kernel/ids.ts'
import { type AppRow, productionName } from './app.ts'
import { lockApp, markAppDeleted } from './app-store.ts'
import type { AppsDeps } from './apps-deps.ts'
import type { EnvironmentCheck } from './change-environment.ts'
import type { EnvironmentRow } from './environment.ts'
import { markEnvironmentDeleted, selectEnvironmentsOfApp } from './environment-store.ts'
import { lockEnvironment, noSuchApp } from './find-app.ts'
import { areRouted } from './take-down-store.ts'

/**
 * Marks an app as deleted: from then on it is gone for everybody, its name is free, and what it runs is taken down by
 * work that goes on after a crash (`take-down.ts`).
 */
export async function deleteApp(
  deps: AppsDeps,
  scope: TeamScope,
  request: { readonly id: AppId; readonly check: (app: AppRow) => void },
): Promise<void> {
  const ids = await deps.db.transaction(async (tx) => {
    const app = await lockApp(tx, scope, request.id)
    if (!app) throw noSuchApp(request.id)
    request.check(app)
    const environments = await selectEnvironmentsOfApp(tx, scope, app.id)
    for (const environment of environments) await endEnvironment(deps, tx, scope, environment)
    await markAppDeleted(tx, scope, app.id, deps.clock.now())
    await deps.work.enqueue(tx, 'delete_app', app.id)
    return environments.map((environment) => environment.id)
  })
  await untilUnrouted(deps, ids)
}

/** Throws `environment_protected` for production, which lives as long as its app. */
export async function deleteEnvironment(
  deps: AppsDeps,
  scope: TeamScope,
  request: { readonly id: EnvironmentId; readonly check: EnvironmentCheck },
): Promise<void> {
  await deps.db.transaction(async (tx) => {
    const environment = await lockEnvironment(tx, scope, request.id)
    if (environment.name === productionName) {
      const message = 'production exists as long as its app does. Delete the app, or scale its process types to 0.'
      throw new UserError('environment_protected', message)
    }
    await request.check(tx, environment)
    await endEnvironment(deps, tx, scope, environment)
    await deps.work.enqueue(tx, 'delete_environment', environment.id)
  })
  await untilUnrouted(deps, [request.id])
}

const patienceMs = 5_000
const pollMs = 10

/**
 * Waits until no request reaches these environments any more, so that whoever deleted one can rely on it. Not for ever:
 * with the running loop or a router out of order they are deleted all the same, and taken down as soon as it is back.
 */
async function untilUnrouted(deps: AppsDeps, ids: readonly EnvironmentId[]): Promise<void> {
  const late = new AbortController()
  const waiting = (async () => {
    while (!late.signal.aborted && (await areRouted(deps.db, ids))) await deps.clock.wait(pollMs, late.signal)
    for (const id of ids) await deps.routes.acknowledged(id, late.signal)
  })()
  const limit = deps.clock.wait(patienceMs, late.signal)
  await Promise.race([waiting, limit]).finally(() => late.abort())
  await Promise.allSettled([waiting, limit])
}

async function endEnvironment(
  deps: AppsDeps,
  tx: Transaction,
  scope: TeamScope,
  environment: EnvironmentRow,
): Promise<void> {
  await deps.environmentDeleted.environmentDeleted(tx, scope, environment)
  await markEnvironmentDeleted(tx, scope, environment.id, deps.clock.now())
  await deps.work.enqueue(tx, 'environment', environment.id)
}
