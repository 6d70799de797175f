import type { TeamScope } from '../access/index.ts'
import type { Queryable, Transaction } from '../db/database.ts'
import { UserError } from '../kernel/errors.ts'
import type { EnvironmentId } from '../kernel/ids.ts'
import type { AppRow } from './app.ts'
import { selectApp } from './app-store.ts'
import type { EnvironmentRow } from './environment.ts'
import { selectEnvironment, selectEnvironmentForUpdate } from './environment-store.ts'

/** By id or name. Throws `not_found`, for what belongs to others too. */
export async function findApp(db: Queryable, scope: TeamScope, idOrName: string): Promise<AppRow> {
  const app = await selectApp(db, scope, idOrName)
  if (!app) throw noSuchApp(idOrName)
  return app
}

/** By id or label. Throws `not_found`, for what belongs to others too. */
export async function findEnvironment(db: Queryable, scope: TeamScope, idOrLabel: string): Promise<EnvironmentRow> {
  const environment = await selectEnvironment(db, scope, idOrLabel)
  if (!environment) throw noSuchEnvironment(idOrLabel)
  return environment
}

/**
 * The environment, locked until the transaction ends. Whoever decides what it runs locks it first, and a deploy's row
 * only after it. Throws `not_found`.
 */
export async function lockEnvironment(tx: Transaction, scope: TeamScope, id: EnvironmentId): Promise<EnvironmentRow> {
  const environment = await selectEnvironmentForUpdate(tx, scope, id)
  if (!environment) throw noSuchEnvironment(id)
  return environment
}

export function noSuchApp(idOrName: string): UserError {
  return new UserError('not_found', `There is no app ${idOrName}, or this token may not see it.`)
}

/** In the words of whoever asked: `shop` as a label is the app, `staging--shop` an environment of it. */
export function noSuchEnvironment(idOrLabel: string): UserError {
  const [environment = '', app] = idOrLabel.split('--')
  if (app !== undefined) {
    const message = `There is no environment ${environment} of an app ${app}, or this token may not see it.`
    return new UserError('not_found', message)
  }
  if (!/^env-[0-9a-z]{26}$/.test(idOrLabel)) return noSuchApp(idOrLabel)
  return new UserError('not_found', `There is no environment ${idOrLabel}, or this token may not see it.`)
}
