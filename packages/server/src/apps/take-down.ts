import type { WorkHandler, WorkOutcome } from '../work/work.ts'
import { deleteAppRows, isRepositoryShared, selectDeletedApp } from './app-store.ts'
import type { AppsDeps } from './apps-deps.ts'
import {
  areQuiet,
  deleteEnvironmentRows,
  selectDeletedEnvironment,
  selectEnvironmentIds,
  selectJourneys,
} from './take-down-store.ts'

const lookAgainMs = 500
const done: WorkOutcome = { kind: 'done' }
const notYet: WorkOutcome = { kind: 'again', afterMs: lookAgainMs }

/** Work `delete_app`: when nothing of the app runs any more, its files go, and then its rows. Every step may be repeated. */
export function takeDownApp(deps: AppsDeps): WorkHandler {
  return async (item, signal) => {
    const app = await selectDeletedApp(deps.db, item.subject)
    if (!app) return done
    if (!(await areQuiet(deps.db, await selectEnvironmentIds(deps.db, app.id)))) return notYet
    const isShared = await isRepositoryShared(deps.db, app)
    await deps.remains.removeApp(app, { repository: !isShared })
    signal.throwIfAborted()
    await deps.db.transaction((tx) => deleteAppRows(tx, app))
    return done
  }
}

/** Work `delete_environment`, likewise. */
export function takeDownEnvironment(deps: AppsDeps): WorkHandler {
  return async (item, signal) => {
    const environment = await selectDeletedEnvironment(deps.db, item.subject)
    if (!environment) return done
    if (!(await areQuiet(deps.db, [environment.id]))) return notYet
    const journeys = await selectJourneys(deps.db, environment.id)
    await deps.remains.removeEnvironment({ ...environment, ...journeys })
    signal.throwIfAborted()
    await deps.db.transaction((tx) => deleteEnvironmentRows(tx, environment.id))
    return done
  }
}
