import type { TeamScope } from '../access/index.ts'
import { UserError } from '../kernel/errors.ts'
import { checkEnvironmentName } from './app.ts'
import { lockApp } from './app-store.ts'
import type { AppsDeps } from './apps-deps.ts'
import type { EnvironmentRow } from './environment.ts'
import { insertEnvironment, selectEnvironmentByName } from './environment-store.ts'
import { findApp, noSuchApp } from './find-app.ts'

/** Makes an empty environment. Throws `not_found`, `name_taken`, `name_invalid`. */
export async function createEnvironment(
  deps: AppsDeps,
  scope: TeamScope,
  prototype: { readonly app: string; readonly name: string },
): Promise<EnvironmentRow> {
  checkEnvironmentName(prototype.name)
  return await deps.db.transaction(async (tx) => {
    const { id: appId } = await findApp(tx, scope, prototype.app)
    if (!(await lockApp(tx, scope, appId))) throw noSuchApp(prototype.app)
    const row = { id: deps.newId('environment'), appId, name: prototype.name, at: deps.clock.now() }
    const isNew = await insertEnvironment(tx, scope, row)
    const environment = await selectEnvironmentByName(tx, scope, appId, prototype.name)
    if (isNew && environment) return environment
    throw new UserError('name_taken', `The app has an environment ${prototype.name} already. Choose another name.`, {
      target: { type: 'field', name: 'name' },
    })
  })
}
