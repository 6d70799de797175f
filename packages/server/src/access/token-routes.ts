import { createToken as createEndpoint, deleteToken, getToken, listTokens as listEndpoint } from '@gantry/api'
import type { PersonId } from '../kernel/ids.ts'
import { pageLinks } from '../kernel/page-links.ts'
import type { AccessDeps } from './access-deps.ts'
import type { Authenticator } from './authenticate.ts'
import { createToken } from './create-token.ts'
import { type BoundEndpoint, bind } from './endpoint-binding.ts'
import type { Principal } from './principal.ts'
import { mustExist, revokeToken } from './revoke-token.ts'
import { tokenResource } from './token.ts'
import { listTokens, tokenById } from './token-store.ts'

export function tokenRoutes(deps: AccessDeps, authenticator: Authenticator): readonly BoundEndpoint[] {
  return [
    bind(listEndpoint, async ({ scope, principal, query, baseUrl }) => {
      const page = await listTokens(deps.db, scope, visibleTo(principal), query)
      return {
        tokens: page.rows.map((row) => tokenResource(row, baseUrl)),
        ...pageLinks({ baseUrl, path: '/v1/tokens', query }, page.next),
      }
    }),
    bind(createEndpoint, async ({ scope, principal, body, baseUrl }) => {
      const { row, secret } = await createToken(deps, scope, principal, body)
      if (principal.isInvitation) authenticator.forget()
      return tokenResource(row, baseUrl, secret)
    }),
    bind(getToken, async ({ scope, principal, params, baseUrl }) => {
      const row = await tokenById(deps.db, scope, visibleTo(principal), params.id)
      return tokenResource(mustExist(row, params.id), baseUrl)
    }),
    bind(deleteToken, async ({ scope, principal, params, headers }) => {
      const person = visibleTo(principal)
      await revokeToken(deps, authenticator, scope, { id: params.id, person, ifMatch: headers.ifMatch })
      return undefined
    }),
  ]
}

/** Whose tokens a person sees: everybody's, or their own. */
function visibleTo(principal: Principal): PersonId | undefined {
  return principal.role === 'owner' || principal.role === 'admin' ? undefined : principal.personId
}
