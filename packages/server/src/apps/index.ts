export { type AppRow, productionName } from './app.ts'
export { selectAppsByRepository as appsByRepository } from './app-store.ts'
export { type Apps, createApps } from './apps.ts'
export type { AppsDeps, Site } from './apps-deps.ts'
export type { ConfigKind, ConfigPatch, Variables } from './config.ts'
export {
  type EnvironmentRow,
  environmentLabel,
  environmentUrl,
  hostOf,
  instanceCount,
  type RolloutError,
  releaseProcessType,
} from './environment.ts'
export {
  clearLiveRelease,
  type EnvironmentToRun,
  markLive,
  markRolloutFailed,
  selectEnvironmentToRun,
  selectOccupied,
} from './environment-rollout-store.ts'
export {
  selectEnvironmentByName as environmentByName,
  takeReleaseVersion,
  updateCurrentConfig,
  updateDesiredRelease,
} from './environment-store.ts'
export { findApp, findEnvironment, lockEnvironment } from './find-app.ts'
export type {
  ConfigChange,
  ConfigChanged,
  EnvironmentDeleted,
  EnvironmentRemains,
  Remains,
  RepositoryFolder,
  RouteAcknowledgements,
  SecretContext,
  Secrets,
} from './ports.ts'
export { type ResealedBatch, type ResealRequest, resealConfig } from './reseal-config.ts'
export { countSealedWith, type SealedPlace } from './sealed-value-store.ts'
export { appReference, environmentReference, releaseReference } from './views.ts'
