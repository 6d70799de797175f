export { type Access, createAccess } from './access.ts'
export type { AccessDeps } from './access-deps.ts'
export type { Audit, AuditEvent } from './audit.ts'
export type { AuthenticationScheme, Credentials } from './authenticate.ts'
export { type ActionObject, authorize, permittedTo } from './authorize.ts'
export { type BoundEndpoint, bind, type Call, type CallHeaders, type Handler } from './endpoint-binding.ts'
export type { KeptReply } from './idempotency-key-store.ts'
export type { Claim, IdempotencyKeys, IdempotentRequest } from './idempotency-keys.ts'
export { createKeyFiles, type KeyFiles, keyFileName } from './key-files.ts'
export type { KeyRing } from './key-ring.ts'
export { type MasterKeyDeps, openKeyRing } from './master-key.ts'
export {
  deleteMasterKey,
  type MasterKeyRow,
  replaceCurrentMasterKey,
  selectMasterKeys,
} from './master-key-store.ts'
export type { Owner } from './owner-store.ts'
export { permissionTable } from './permissions.ts'
export { type Principal, type Role, roles, systemScope, type TeamScope } from './principal.ts'
export { createSecretBox, keyIdOf, type SecretBox, type SecretContext, SecretUnreadable } from './secret-box.ts'
