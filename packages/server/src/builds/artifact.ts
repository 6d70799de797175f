import type { ProcessTypePlan } from '../builders/builder.ts'
import type { ArtifactKind } from '../engines/engine.ts'
import type { AppId, ArtifactId, LayerId } from '../kernel/ids.ts'

/** What a build made: immutable, named by its digest. */
export interface Artifact {
  readonly id: ArtifactId
  readonly appId: AppId
  readonly kind: ArtifactKind
  readonly digest: string
  /** A slug's folder. */
  readonly location: string
  /** Read-only folders that the app sees: name in the app's folder → absolute path. */
  readonly links: Readonly<Record<string, string>>
  readonly processTypes: Readonly<Record<string, ProcessTypePlan>>
  /** Environment of every instance beneath its config. PATH may begin with folders that are relative to the app's. */
  readonly runEnv: Readonly<Record<string, string>>
  readonly sizeBytes: number
  readonly createdAt: Date
}

/** An artifact as it is written. `layers` has every layer that it needs, by the name it has in the app or a toolchain's. */
export interface NewArtifact extends Omit<Artifact, 'links'> {
  readonly layers: Readonly<Record<string, LayerId>>
}

/** Where a layer's files are that the app sees under the layer's name: modules look upwards from there for each other. */
export function layerContent(layer: { path: string; name: string }): string {
  return `${layer.path}/${layer.name}`
}

/** A toolchain's layer under this name in `layers` is needed, but is not linked into the app. */
export function toolchainLayerName(toolchain: string): string {
  return `toolchain:${toolchain}`
}
