import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import type { ArtifactId, LayerId } from '../kernel/ids.ts'
import { layerContent, type NewArtifact, toolchainLayerName } from './artifact.ts'
import { insertArtifact, takeArtifactByDigest } from './artifact-store.ts'
import { artifactDigest, digestOf, layerKey, toolchainKey } from './build-digest.ts'
import type { BuildJob } from './build-job.ts'
import { finishBuild } from './finish-build.ts'
import { claimFolder } from './folder-store.ts'
import type { Layer } from './layer-store.ts'
import { prepareLayer, prepareToolchain } from './make-layer.ts'
import { runUnit } from './run-unit.ts'
import { systemPath } from './step-environment.ts'
import { formatBytes, formatSeconds } from './step-failure.ts'
import { exists, folderSize, give, linkEntries, makePassable, makeWorkspace, seal } from './workspace.ts'

/** Layers by the name that the artifact or the build knows them under. */
interface Layers {
  readonly run: Record<string, Layer>
  readonly build: Record<string, Layer>
}

/** Carries out the plan. Ends the build as succeeded in the transaction that records the artifact. */
export async function makeArtifact(job: BuildJob): Promise<ArtifactId> {
  const layers = await prepareLayers(job)
  const runEnv = { ...job.plan.runEnv, PATH: runPath(job) }
  const digest = digestFor(job, runEnv)
  const known = await reuse(job, digest)
  if (known) return known
  const id = job.deps.newId('artifact')
  const claimed = await claimFolder(job.deps.db, job.scope, {
    path: join(job.deps.home, 'artifacts', job.app.id, id),
    appId: job.app.id,
    buildId: job.build.id,
    kind: 'artifact',
    subjectId: id,
    key: digest,
    now: job.deps.clock.now(),
  })
  job.deps.failpoint('build.folder')
  await makePassable(join(job.deps.home, 'artifacts', job.app.id))
  const make = job.plan.steps.length === 0 ? exportSlug : buildSlug
  const sizeBytes = await make(job, claimed.path, layers)
  return await record(job, {
    id: claimed.subjectId as ArtifactId,
    appId: job.app.id,
    kind: 'slug',
    digest,
    location: claimed.path,
    layers: Object.fromEntries(Object.entries(layers.run).map(([name, layer]): [string, LayerId] => [name, layer.id])),
    processTypes: job.plan.processTypes,
    runEnv,
    sizeBytes,
    createdAt: job.deps.clock.now(),
  })
}

async function prepareLayers(job: BuildJob): Promise<Layers> {
  const layers: Layers = { run: {}, build: {} }
  for (const toolchain of job.plan.toolchains) {
    const layer = await prepareToolchain(job, toolchain)
    if (layer) layers.run[toolchainLayerName(toolchain.name)] = layer
  }
  for (const plan of job.plan.layers) {
    const layer = await prepareLayer(job, plan)
    if (plan.during !== 'build') layers.run[plan.name] = layer
    if (plan.during !== 'run') layers.build[plan.name] = layer
  }
  return layers
}

/** The app's own folders first, relative: where an instance's copy lies is known when it starts. */
function runPath(job: BuildJob): string {
  const { plan, toolchainBins, deps } = job
  const needsNode = plan.toolchains.some(({ npmPackages }) => npmPackages.length === 0)
  return [...plan.pathFolders, ...toolchainBins, ...(needsNode ? [deps.node.binFolder] : []), ...systemPath].join(':')
}

function digestFor(job: BuildJob, runEnv: Readonly<Record<string, string>>): string {
  const { plan, treeId } = job
  const inputs = { platform: job.deps.platform, buildConfig: job.buildConfig }
  const toolchains = plan.toolchains.map((toolchain) => [toolchain.name, toolchainKey(toolchain, inputs)])
  const linked = plan.layers.filter((layer) => layer.during !== 'build')
  const keys = linked.map((layer) => [layer.name, layerKey(layer, plan, inputs)])
  return artifactDigest({
    treeId,
    plan,
    runEnv,
    layers: Object.fromEntries([...toolchains, ...keys]),
    ...(plan.steps.length > 0 && { builtBy: job.build.id }),
  })
}

/** An artifact of this digest that the app has: then there is nothing to do. */
async function reuse(job: BuildJob, digest: string): Promise<ArtifactId | undefined> {
  const { deps, scope, app, build } = job
  const now = deps.clock.now()
  const id = await takeArtifactByDigest(deps.db, scope, { appId: app.id, digest, now })
  if (!id) return undefined
  job.say('This source was built before: its artifact is used again.')
  await deps.output.flush()
  await deps.db.transaction((tx) => finishBuild(deps, tx, build, { status: 'succeeded', artifactId: id }))
  return id
}

/** The tree as it is: nothing of the user's runs. */
async function exportSlug(job: BuildJob, path: string, layers: Layers): Promise<number> {
  const { deps, app } = job
  await deps.folders.remove(path)
  const { sizeBytes } = await deps.source.exportTree(app.repositoryId, job.treeId, path)
  await removeLinked(job, path, layers)
  await seal(job, path)
  return sizeBytes
}

/** Builds in the workspace; sealed there, since only its owner may move a folder, and moved in one step. */
async function buildSlug(job: BuildJob, path: string, layers: Layers): Promise<number> {
  const { deps, app, workspace } = job
  await makeWorkspace(job)
  await runUnit(job, {
    tag: digestOf(
      'app',
      job.plan.steps.map((step) => step.command),
    ).slice(0, 12),
    folder: workspace.app,
    steps: job.plan.steps,
    prepare: async () => {
      await deps.folders.remove(workspace.app)
      await deps.source.exportTree(app.repositoryId, job.treeId, workspace.app)
      await removeLinked(job, workspace.app, layers)
      for (const [name, layer] of Object.entries(layers.build)) {
        await linkEntries(layerContent({ path: layer.path, name }), join(workspace.app, name))
      }
      await give(job, workspace.app)
    },
  })
  if (await exists(path)) return await folderSize(path) // moved before an interruption
  await seal(job, workspace.app)
  await removeLinked(job, workspace.app, layers)
  await rename(workspace.app, path)
  return await folderSize(path)
}

/** What stands where a layer will be linked: a committed `node_modules`, or what a build wrote beside the links. */
async function removeLinked(job: BuildJob, folder: string, layers: Layers): Promise<void> {
  const names = [...Object.keys(layers.run), ...Object.keys(layers.build)].filter((name) => !name.includes(':'))
  for (const name of new Set(names)) await job.deps.folders.remove(join(folder, name))
}

async function record(job: BuildJob, artifact: NewArtifact): Promise<ArtifactId> {
  const { deps, scope, build } = job
  const now = deps.clock.now()
  const took = formatSeconds(now.getTime() - job.startedAt.getTime())
  job.head(`Built ${artifact.digest.slice(0, 19)} in ${took}: ${formatBytes(artifact.sizeBytes)} and its layers`)
  await deps.output.flush()
  return await deps.db.transaction(async (tx) => {
    const { digest, appId } = artifact
    const artifactId =
      (await insertArtifact(tx, scope, artifact)) ?? (await takeArtifactByDigest(tx, scope, { appId, digest, now }))
    if (!artifactId) throw new Error(`artifact ${digest} is neither new nor known`)
    await finishBuild(deps, tx, build, { status: 'succeeded', artifactId })
    deps.failpoint('build.artifact.before')
    tx.afterCommit(() => deps.failpoint('build.artifact.after'))
    return artifactId
  })
}
