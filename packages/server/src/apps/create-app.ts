import type { TeamScope } from '../access/index.ts'
import { UserError } from '../kernel/errors.ts'
import { type AppRow, checkAppName, checkBranch, normalizeRoot, productionName } from './app.ts'
import { insertApp, insertRepository, selectRepositories } from './app-store.ts'
import type { AppsDeps } from './apps-deps.ts'
import { insertEnvironment } from './environment-store.ts'

export interface AppPrototype {
  readonly name: string
  readonly branch?: string | undefined
  readonly root?: string | undefined
}

/**
 * Makes an app, its repository and its environment `production` in one transaction, then the repository's folder.
 * Throws `name_taken`, `name_invalid`, `invalid_field`.
 */
export async function createApp(deps: AppsDeps, scope: TeamScope, prototype: AppPrototype): Promise<AppRow> {
  const { name, branch = 'main' } = prototype
  checkAppName(name)
  checkBranch(branch)
  const root = normalizeRoot(prototype.root ?? '')
  const app = await deps.db.transaction(async (tx) => {
    const at = deps.clock.now()
    const repositoryId = deps.newId('repository')
    await insertRepository(tx, scope, repositoryId, at)
    const row = await insertApp(tx, scope, { id: deps.newId('app'), repositoryId, name, root, branch, at })
    if (!row) throw nameTaken(name)
    await insertEnvironment(tx, scope, { id: deps.newId('environment'), appId: row.id, name: productionName, at })
    return row
  })
  await deps.repositories.create(app.repositoryId)
  return app
}

function nameTaken(name: string): UserError {
  return new UserError('name_taken', `An app with the name ${name} exists already. Choose another name.`, {
    target: { type: 'field', name: 'name' },
  })
}

const repositoriesAtOnce = 200

/** At start: a crash between the rows of an app and its repository's folder left the rows alone. */
export async function makeMissingRepositories(deps: AppsDeps): Promise<void> {
  for (let after = ''; ; ) {
    const ids = await selectRepositories(deps.db, after, repositoriesAtOnce)
    for (const id of ids) await deps.repositories.create(id)
    const last = ids.at(-1)
    if (ids.length < repositoriesAtOnce || last === undefined) return
    after = last
  }
}
