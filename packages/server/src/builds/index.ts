export type { Artifact } from './artifact.ts'
export { type BuildRequest, type BuildRow, type BuiltApp, isOver } from './build.ts'
export { findBuild, type NewBuild } from './build-store.ts'
export { type Builds, createBuilds } from './builds.ts'
export {
  type BuildLimits,
  type BuildOutput,
  type BuildsDeps,
  type CommittedSource,
  defaultBuildLimits,
  type FolderOwner,
  type PlatformNode,
} from './builds-deps.ts'
export { singleUserFolders } from './folder-owner.ts'
export { type MachineSettings, readMachineSettings } from './machine-settings.ts'
export { createPublishedVersions, type PublishedVersionsDeps } from './published-versions.ts'
export { type ArtifactUse, type ArtifactUses, defaultRetention, type RetentionPolicy } from './retention.ts'
