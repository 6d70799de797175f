import type { ErrorCode } from '@gantry/api'
import { systemScope, type TeamScope } from '../access/index.ts'
import { Fenced } from '../engines/engine.ts'
import { messageOf, UserError } from '../kernel/errors.ts'
import { headline } from '../kernel/headline.ts'
import type { ArtifactId } from '../kernel/ids.ts'
import type { BuildRequest, BuildRow } from './build.ts'
import { type BuildJob, createJob, tasksOf } from './build-job.ts'
import { findBuild, markBuilder, markBuilding } from './build-store.ts'
import type { BuildsDeps } from './builds-deps.ts'
import { discardFolders } from './collect-garbage.ts'
import { finishBuild } from './finish-build.ts'
import { makeArtifact } from './make-artifact.ts'
import { planBuild } from './plan-build.ts'
import { fenceOf } from './run-unit.ts'

/**
 * Carries a build to its end: plan, layers, steps, artifact. Called again after a crash it goes on where it was, for task
 * ids and folders are found by the build's id; called for a build that is over it answers as before. Throws `UserError`
 * when the build fails. When the signal aborts it throws the signal's reason and lets go: what runs goes on, for whoever
 * calls it next, as after a restart of the control plane; `cancelBuild` ends it.
 */
export async function runBuild(
  deps: BuildsDeps,
  request: BuildRequest,
  signal: AbortSignal,
): Promise<{ artifactId: ArtifactId }> {
  const scope = systemScope(request.build.teamId)
  const build = await begin(deps, scope, request)
  if (build.status === 'succeeded' && build.artifactId) {
    await tidy(deps, request) // who recorded it may have ended before it came to that
    return { artifactId: build.artifactId }
  }
  if (build.error) throw new UserError(build.error.code, build.error.message)
  try {
    const job = await planJob(deps, request, { startedAt: build.startedAt ?? deps.clock.now(), signal })
    const artifactId = await makeArtifact(job)
    if (job.progress.workspace) await tidy(deps, request)
    return { artifactId }
  } catch (error) {
    signal.throwIfAborted()
    if (!(error instanceof UserError)) throw error
    await fail(deps, request, error)
    throw error
  }
}

async function fail(deps: BuildsDeps, request: BuildRequest, { code, message }: UserError): Promise<void> {
  request.log(`-----> ${headline(message)}`)
  await deps.output.flush()
  await tidy(deps, request)
  await deps.db.transaction((tx) => finishBuild(deps, tx, request.build, { status: 'failed', code, message }))
}

/**
 * Ends a build that is not to go on: stops its tasks until no process is left, removes its folders, and records why. For
 * a build whose `runBuild` has returned or was never called. A build that is over stays as it is.
 */
export async function cancelBuild(
  deps: BuildsDeps,
  request: Pick<BuildRequest, 'build' | 'fence'>,
  why: { readonly code: ErrorCode; readonly message: string },
): Promise<void> {
  await leaveNothing(deps, request)
  await deps.db.transaction((tx) => finishBuild(deps, tx, request.build, { status: 'cancelled', ...why }))
}

async function begin(deps: BuildsDeps, scope: TeamScope, request: BuildRequest): Promise<BuildRow> {
  await markBuilding(deps.db, scope, request.build.id, deps.clock.now())
  const build = await findBuild(deps.db, scope, request.build.id)
  if (!build) throw new Error(`build ${request.build.id} has no row`)
  return build
}

async function planJob(
  deps: BuildsDeps,
  request: BuildRequest,
  run: { startedAt: Date; signal: AbortSignal },
): Promise<BuildJob> {
  const { app, build, buildConfig } = request
  const treeId = await deps.source.treeId(app.repositoryId, build.commitSha, app.root)
  const tree = deps.source.tree(app.repositoryId, build.commitSha, app.root)
  const plan = await planBuild(deps, { tree, root: app.root, buildConfig })
  await markBuilder(deps.db, systemScope(build.teamId), build.id, plan.builder)
  const job = createJob(deps, request, { ...run, plan, treeId })
  const [first = plan.builder, ...reasons] = plan.because
  job.head(first)
  for (const line of reasons) job.say(line)
  for (const line of plan.warnings) job.say(`Warning: ${line}`)
  return job
}

const stopLimitMs = 30_000

/** Stops what runs of a build, and removes its tasks' records and the folders that nothing names. */
async function leaveNothing(deps: BuildsDeps, request: Pick<BuildRequest, 'build' | 'fence'>): Promise<void> {
  const { build } = request
  const fence = fenceOf(request)
  const signal = AbortSignal.timeout(stopLimitMs)
  for (const id of await tasksOf(deps, build.id, signal)) {
    await deps.engine.stop(id, { graceMs: 500 }, fence, signal)
    await deps.engine.forget(id, fence, signal)
  }
  await discardFolders(deps, systemScope(build.teamId), build.id)
}

/** `leaveNothing` for a build that has come to its end: what fails now is left to retention, which looks again. */
async function tidy(deps: BuildsDeps, request: BuildRequest): Promise<void> {
  try {
    await leaveNothing(deps, request)
  } catch (error) {
    if (error instanceof Fenced) throw error
    deps.log.warn({ build: request.build.id, cause: messageOf(error) }, 'a build could not be cleaned up yet')
  }
}
