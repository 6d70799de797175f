export { createSource } from './create-source.ts'
export {
  type AcceptedPush,
  type DeployProgress,
  defaultSourceLimits,
  type ExportedTree,
  type ImportedTree,
  type PushListener,
  type Source,
  type SourceDeps,
  type SourceFailpoint,
  type SourceLimits,
} from './source.ts'
export { selectSource as findSource } from './source-store.ts'
