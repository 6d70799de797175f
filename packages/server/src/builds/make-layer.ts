import { symlink } from 'node:fs/promises'
import { join, relative } from 'node:path'
import type { BuildStep, LayerPlan, Toolchain } from '../builders/builder.ts'
import type { LayerId } from '../kernel/ids.ts'
import { layerKey, toolchainKey } from './build-digest.ts'
import type { BuildJob } from './build-job.ts'
import { claimFolder } from './folder-store.ts'
import { insertLayer, type Layer, takeLayer } from './layer-store.ts'
import { runUnit } from './run-unit.ts'
import { formatBytes } from './step-failure.ts'
import { copyFiles, exportSource, folderSize, give, makePassable, makeWorkspace, seal } from './workspace.ts'

interface LayerRecipe {
  readonly name: string
  readonly key: string
  /** For the log: `Dependencies`. */
  readonly title: string
  readonly steps: readonly BuildStep[]
  readonly fill: (folder: string) => Promise<void>
}

/** A toolchain that is not Gantry's own, from its layer, which is made if the app has none. Its commands come into force. */
export async function prepareToolchain(job: BuildJob, toolchain: Toolchain): Promise<Layer | undefined> {
  if (toolchain.npmPackages.length === 0) return undefined
  const layer = await findOrMakeLayer(job, {
    name: `toolchain ${toolchain.name}`,
    key: toolchainKey(toolchain, { platform: job.deps.platform, buildConfig: job.buildConfig }),
    title: `${toolchain.name} ${toolchain.version}`,
    steps: [installToolchain(toolchain)],
    fill: (folder) => linkCommands(toolchain, folder),
  })
  for (const [name, path] of Object.entries(toolchain.commands)) job.commands[name] = join(layer.path, path)
  job.toolchainBins.push(join(layer.path, 'bin'))
  return layer
}

export async function prepareLayer(job: BuildJob, plan: LayerPlan): Promise<Layer> {
  const which = plan.during === 'build' ? 'Dependencies for the build' : 'Dependencies'
  return await findOrMakeLayer(job, {
    name: plan.name,
    key: layerKey(plan, job.plan, { platform: job.deps.platform, buildConfig: job.buildConfig }),
    title: which,
    steps: plan.steps,
    fill: async (folder) => {
      await copyFiles(await exportSource(job), plan.files, folder)
      // Even when nothing is installed there is something to link.
      await makePassable(join(folder, plan.name))
    },
  })
}

async function findOrMakeLayer(job: BuildJob, recipe: LayerRecipe): Promise<Layer> {
  const { deps, scope, app } = job
  return await deps.locks.run(`${app.id} ${recipe.key}`, job.signal, async () => {
    const known = await takeLayer(deps.db, scope, { appId: app.id, key: recipe.key, now: deps.clock.now() })
    if (known) {
      job.say(`${recipe.title}: unchanged, nothing to install.`)
      return known
    }
    await makeWorkspace(job)
    return await makeLayer(job, recipe)
  })
}

/** At its final path, for what is installed may remember where it is. The row, which makes it one, comes last. */
async function makeLayer(job: BuildJob, recipe: LayerRecipe): Promise<Layer> {
  const { deps, scope, app, build } = job
  const id = deps.newId('layer')
  const claimed = await claimFolder(deps.db, scope, {
    path: join(deps.home, 'layers', app.id, id),
    appId: app.id,
    buildId: build.id,
    kind: 'layer',
    subjectId: id,
    key: recipe.key,
    now: deps.clock.now(),
  })
  const { path } = claimed
  await runUnit(job, {
    tag: recipe.key.slice(0, 12),
    folder: path,
    steps: recipe.steps,
    prepare: async () => {
      await deps.folders.remove(path)
      await makePassable(path)
      await recipe.fill(path)
      await give(job, path)
    },
  })
  await seal(job, path)
  const sizeBytes = await folderSize(path)
  job.say(`${recipe.title}: ${formatBytes(sizeBytes)}, kept for the next build.`)
  return await insertLayer(deps.db, scope, {
    id: claimed.subjectId as LayerId,
    name: recipe.name,
    path,
    sizeBytes,
    appId: app.id,
    key: recipe.key,
    now: deps.clock.now(),
  })
}

function installToolchain(toolchain: Toolchain): BuildStep {
  const flags = ['--no-save', '--no-package-lock', '--ignore-scripts', '--no-audit', '--no-fund', '--no-progress']
  return {
    name: `Fetching ${toolchain.name} ${toolchain.version}`,
    command: { kind: 'argv', file: 'npm', args: ['install', ...flags, '--', ...toolchain.npmPackages] },
    env: {},
    errorCode: 'toolchain_unavailable',
  }
}

/** `bin/<command>`, made before what they point to, while the folder is still Gantry's. */
async function linkCommands(toolchain: Toolchain, folder: string): Promise<void> {
  const bin = join(folder, 'bin')
  await makePassable(bin)
  for (const [name, path] of Object.entries(toolchain.commands)) {
    await symlink(relative(bin, join(folder, path)), join(bin, name))
  }
}
