import type { TeamScope } from '../access/index.ts'
import type { AppId } from '../kernel/ids.ts'
import { type AppRow, checkBranch, normalizeRoot } from './app.ts'
import { lockApp, updateAppRow } from './app-store.ts'
import type { AppsDeps } from './apps-deps.ts'
import { noSuchApp } from './find-app.ts'

export interface AppPatch {
  readonly branch?: string | undefined
  readonly root?: string | undefined
}

/** Takes effect with the next push. `check` sees the row, locked, and may refuse it. */
export async function updateApp(
  deps: AppsDeps,
  scope: TeamScope,
  change: { readonly id: AppId; readonly patch: AppPatch; readonly check: (app: AppRow) => void },
): Promise<AppRow> {
  return await deps.db.transaction(async (tx) => {
    const app = await lockApp(tx, scope, change.id)
    if (!app) throw noSuchApp(change.id)
    change.check(app)
    const branch = change.patch.branch ?? app.branch
    const root = change.patch.root === undefined ? app.root : normalizeRoot(change.patch.root)
    checkBranch(branch)
    if (branch === app.branch && root === app.root) return app
    const next = { ...app, branch, root, updatedAt: deps.clock.now() }
    await updateAppRow(tx, scope, next)
    return next
  })
}
