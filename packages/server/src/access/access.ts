import type { AccessDeps } from './access-deps.ts'
import { type Audit, createAudit } from './audit.ts'
import { auditRoutes } from './audit-routes.ts'
import { type Authenticator, createAuthenticator } from './authenticate.ts'
import type { BoundEndpoint } from './endpoint-binding.ts'
import { ensureOwner } from './ensure-owner.ts'
import { createIdempotencyKeys, type IdempotencyKeys } from './idempotency-keys.ts'
import { memberRoutes } from './member-routes.ts'
import type { Owner } from './owner-store.ts'
import { tokenRoutes } from './token-routes.ts'

export interface Access extends Pick<Authenticator, 'authenticate'> {
  readonly audit: Audit
  readonly idempotencyKeys: IdempotencyKeys
  readonly routes: readonly BoundEndpoint[]
  /** `token`: that of the machine's file `owner-token`. */
  ensureOwner(token: string): Promise<Owner>
}

export function createAccess(deps: AccessDeps): Access {
  const authenticator = createAuthenticator(deps)
  return {
    authenticate: authenticator.authenticate,
    audit: createAudit(deps),
    idempotencyKeys: createIdempotencyKeys(deps),
    routes: [...tokenRoutes(deps, authenticator), ...memberRoutes(deps, authenticator), ...auditRoutes(deps)],
    ensureOwner: (token) => ensureOwner(deps, token),
  }
}
