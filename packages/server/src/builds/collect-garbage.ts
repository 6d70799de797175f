import { join, relative } from 'node:path'
import { systemScope, type TeamScope } from '../access/index.ts'
import type { AppId, BuildId } from '../kernel/ids.ts'
import type { WorkHandler } from '../work/work.ts'
import { artifactsOf, markArtifactsRemoved } from './artifact-store.ts'
import { outputStream } from './build.ts'
import { buildsWithLogs, markLogRemoved, openBuilds, teamOfApp } from './build-store.ts'
import type { BuildsDeps } from './builds-deps.ts'
import { foldersLeftBy, foldersLeftIn, foldersOf, forgetFolder } from './folder-store.ts'
import { deleteLayers, layersOf } from './layer-store.ts'
import { decideRetention } from './retention.ts'

type Deps = Pick<BuildsDeps, 'db' | 'folders' | 'home' | 'clock' | 'output' | 'engine' | 'uses' | 'retention' | 'log'>

/** Work of kind `retention`; the subject is an app's id. */
export function retentionHandler(deps: Deps): WorkHandler {
  return async (item, signal) => {
    const appId = item.subject as AppId
    const team = await teamOfApp(deps.db, appId)
    if (team) {
      await dropTasks(deps, appId, { number: item.fence, signal })
      await collectGarbage(deps, systemScope(team), appId)
    }
    return { kind: 'done' }
  }
}

/**
 * Removes what retention lets go, in two phases: rows first, in one transaction that leaves alone what was used since the
 * decision; then the folders that no row names any more. An interruption between the two is made good by the next run.
 */
async function collectGarbage(deps: Deps, scope: TeamScope, appId: AppId): Promise<void> {
  const now = deps.clock.now()
  const garbage = decideRetention(
    {
      now,
      uses: await deps.uses(scope, appId),
      artifacts: await artifactsOf(deps.db, scope, appId),
      layers: await layersOf(deps.db, scope, appId),
      builds: await buildsWithLogs(deps.db, scope, appId),
    },
    deps.retention,
  )
  const { unusedSince } = garbage
  await deps.db.transaction(async (tx) => {
    await markArtifactsRemoved(tx, scope, garbage.artifacts, { unusedSince, now })
    await deleteLayers(tx, scope, garbage.layers, unusedSince)
  })
  await removeFolders(deps, scope, await foldersLeftIn(deps.db, scope, appId))
  for (const id of garbage.logs) {
    await deps.output.remove(outputStream({ appId, id }))
    await markLogRemoved(deps.db, scope, id, now)
  }
}

/** The folders of one build that nothing names: its workspace, and what it did not finish. */
export async function discardFolders(deps: Deps, scope: TeamScope, buildId: BuildId): Promise<void> {
  await removeFolders(deps, scope, await foldersLeftBy(deps.db, scope, buildId))
}

/** Everything that builds have made for an app that is being deleted. No build of it may be under way. */
export async function removeAppFolders(deps: Deps, scope: TeamScope, appId: AppId): Promise<void> {
  await removeFolders(deps, scope, await foldersOf(deps.db, scope, appId))
  for (const kind of ['artifacts', 'layers']) await deps.folders.remove(join(deps.home, kind, appId))
}

async function removeFolders(deps: Deps, scope: TeamScope, paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    if (isOurs(deps.home, path)) await deps.folders.remove(path)
    else deps.log.error({ path }, 'a recorded folder lies outside of the home and is left alone')
    await forgetFolder(deps.db, scope, path)
  }
}

/** A recorded path may still be of another home, that a backup came from. */
function isOurs(home: string, path: string): boolean {
  const [kind = '', ...rest] = relative(home, path).split('/')
  return ['builds', 'layers', 'artifacts'].includes(kind) && rest.length > 0 && !rest.includes('..')
}

/** Tasks of builds that are over: a crash, or an engine that did not answer, kept the build from dropping them. */
async function dropTasks(deps: Deps, appId: AppId, run: { number: number; signal: AbortSignal }): Promise<void> {
  const observed = await deps.engine.observe('all', run.signal)
  const ours = observed.flatMap(({ id, labels }) =>
    labels.app === appId && labels.build !== undefined ? [{ id, build: labels.build }] : [],
  )
  const open = await openBuilds(
    deps.db,
    ours.map(({ build }) => build),
  )
  for (const { id, build } of ours) {
    if (open.has(build)) continue
    const fence = { scope: build, number: run.number }
    await deps.engine.stop(id, { graceMs: 0 }, fence, run.signal)
    await deps.engine.forget(id, fence, run.signal)
  }
}
