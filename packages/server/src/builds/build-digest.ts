import { createHash } from 'node:crypto'
import type { BuildPlan, LayerPlan, Toolchain } from '../builders/builder.ts'

/** What decides the content of everything that a build makes, besides the tree and the plan. */
export interface BuildInputs {
  readonly platform: string
  readonly buildConfig: Readonly<Record<string, string>>
}

/** SHA-256 in hex over values in an unambiguous form. */
export function digestOf(...values: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(values)).digest('hex')
}

export function toolchainKey(toolchain: Toolchain, inputs: BuildInputs): string {
  return digestOf('toolchain', toolchain.name, toolchain.npmPackages, toolchain.commands, inputs.platform)
}

/** A layer is made anew when anything changes that its installing may read, the build config included. */
export function layerKey(layer: LayerPlan, plan: BuildPlan, inputs: BuildInputs): string {
  const toolchains = plan.toolchains.map((toolchain) => [toolchain.name, toolchain.version])
  const steps = layer.steps.map((step) => [step.command, sortedEntries(step.env)])
  return digestOf('layer', layer.name, layer.key, steps, toolchains, inputs.platform, sortedEntries(inputs.buildConfig))
}

/**
 * The digest that names an artifact: of a manifest of the tree's object id, what is run, and the layers that it links.
 * So a tree that was built before is known without reading a file. `builtBy`: the build's id, for an artifact that steps
 * of the user's made, which nobody can know to come out the same twice.
 */
export function artifactDigest(manifest: {
  readonly treeId: string
  readonly plan: Pick<BuildPlan, 'processTypes'>
  readonly runEnv: Readonly<Record<string, string>>
  /** Keys by name. */
  readonly layers: Readonly<Record<string, string>>
  readonly builtBy?: string
}): string {
  const { treeId, plan, runEnv, layers, builtBy } = manifest
  const types = Object.entries(plan.processTypes).map(([name, { command, overlap }]) => [name, command, overlap])
  return `sha256:${digestOf('slug 1', treeId, types, sortedEntries(runEnv), sortedEntries(layers), builtBy ?? null)}`
}

function sortedEntries(values: Readonly<Record<string, string>>): [string, string][] {
  return Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1))
}
