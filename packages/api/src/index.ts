export * from './apps.ts'
export * from './audit.ts'
export * from './builds.ts'
export * from './client/api-error.ts'
export { EventStreamParser, type RawEvent } from './client/event-stream.ts'
export type { ClientOptions, Upload } from './client/request.ts'
export * from './client.ts'
export type { Page } from './collections.ts'
export * from './config.ts'
export * from './deploy-endpoints.ts'
export * from './deploys.ts'
export * from './endpoint.ts'
export * from './endpoints.ts'
export * from './environments.ts'
export * from './errors.ts'
export * from './instances.ts'
export * from './logs.ts'
export * from './members.ts'
export {
  configNamePattern,
  isReservedConfigName,
  maxAppNameLength,
  maxConfigNameLength,
  maxConfigValueLength,
  maxConfigVariables,
  maxEnvironmentNameLength,
  maxProcessTypeLength,
  maxScale,
  nameProblem,
  processTypePattern,
} from './names.ts'
export type { Json, JsonObject } from './openapi/json.ts'
export { buildOpenapi, openapiText } from './openapi.ts'
export * from './permissions.ts'
export * from './platform.ts'
export * from './problems.ts'
export * from './releases.ts'
export * from './sources.ts'
export { type Tag, tags } from './tags.ts'
export * from './tokens.ts'
