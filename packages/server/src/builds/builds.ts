import type { ErrorCode } from '@gantry/api'
import type { BoundEndpoint, TeamScope } from '../access/index.ts'
import type { Queryable } from '../db/database.ts'
import type { AppId, ArtifactId, BuildId } from '../kernel/ids.ts'
import type { WorkHandler } from '../work/work.ts'
import type { Artifact } from './artifact.ts'
import { findArtifact, takeArtifact } from './artifact-store.ts'
import type { BuildRequest } from './build.ts'
import { insertBuild, type NewBuild } from './build-store.ts'
import type { BuildsDeps } from './builds-deps.ts'
import { removeAppFolders, retentionHandler } from './collect-garbage.ts'
import { createKeyedLock } from './keyed-lock.ts'
import { buildRoutes } from './routes.ts'
import { cancelBuild, runBuild } from './run-build.ts'

/** Builds and what they make. */
export interface Builds {
  /** Records a build as `queued`, in the caller's transaction. */
  create(db: Queryable, scope: TeamScope, build: Omit<NewBuild, 'id' | 'createdAt'>): Promise<BuildId>
  /** See `runBuild`: goes on after a crash; throws `UserError` when the build fails; lets go of it when aborted. */
  run(request: BuildRequest, signal: AbortSignal): Promise<{ artifactId: ArtifactId }>
  /**
   * Ends a build whose `run` has returned or was never called: no process and no folder of it is left. One that is over
   * stays as it is.
   */
  cancel(
    request: Pick<BuildRequest, 'build' | 'fence'>,
    why: { readonly code: ErrorCode; readonly message: string },
  ): Promise<void>
  artifact(db: Queryable, scope: TeamScope, id: ArtifactId): Promise<Artifact | undefined>
  /**
   * Keeps an artifact from being collected for the time it takes to make a release of it. False when it is gone: then
   * there is nothing to roll back to. To be called in the transaction that makes the release.
   */
  take(db: Queryable, scope: TeamScope, id: ArtifactId): Promise<boolean>
  /** Removes everything that builds have made for an app that is being deleted. */
  removeApp(scope: TeamScope, appId: AppId): Promise<void>
  /** Work of kind `retention`, subject an app's id. */
  readonly handleRetention: WorkHandler
  readonly routes: readonly BoundEndpoint[]
}

export function createBuilds(parts: Omit<BuildsDeps, 'locks'>): Builds {
  const deps: BuildsDeps = { ...parts, locks: createKeyedLock() }
  return {
    async create(db, scope, build) {
      const id = deps.newId('build')
      await insertBuild(db, scope, { ...build, id, createdAt: deps.clock.now() })
      return id
    },
    run: (request, signal) => runBuild(deps, request, signal),
    cancel: (request, why) => cancelBuild(deps, request, why),
    artifact: findArtifact,
    take: (db, scope, id) => takeArtifact(db, scope, id, deps.clock.now()),
    removeApp: (scope, appId) => removeAppFolders(deps, scope, appId),
    handleRetention: retentionHandler(deps),
    routes: buildRoutes(deps.db),
  }
}
