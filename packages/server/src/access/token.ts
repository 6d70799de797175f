import type { Permission, Token } from '@gantry/api'
import { withEntityTag } from '../kernel/entity-tag.ts'
import type { AppId, PersonId, TeamId, TokenId } from '../kernel/ids.ts'
import type { Role } from './principal.ts'

/** A token as its row and what the row refers to. The token itself is kept nowhere. */
export interface TokenRow {
  readonly id: TokenId
  readonly team_id: TeamId
  readonly person_id: PersonId
  readonly person_name: string
  /** null: no longer a member. */
  readonly role: Role | null
  readonly is_invitation: boolean
  readonly app_id: AppId | null
  readonly app_name: string | null
  readonly name: string
  readonly prefix: string
  readonly scopes: readonly Permission[]
  readonly created_at: Date
  readonly expires_at: Date | null
  readonly revoked_at: Date | null
  readonly last_used_at: Date | null
}

/** A token of somebody who is a member. */
export type UsableToken = TokenRow & { readonly role: Role }

export function isUsable(row: Pick<TokenRow, 'revoked_at' | 'expires_at'>, now: Date): boolean {
  return row.revoked_at === null && (row.expires_at === null || row.expires_at > now)
}

/** The resource. `secret` is the token itself, in the one reply that shows it. */
export function tokenResource(row: TokenRow, baseUrl: string, secret?: string): Token {
  const { id, name, prefix, scopes, app_id, app_name } = row
  const resource = {
    id,
    href: `${baseUrl}/v1/tokens/${id}`,
    name,
    prefix,
    scopes,
    ...(app_id && app_name ? { app: { id: app_id, name: app_name, href: `${baseUrl}/v1/apps/${app_id}` } } : {}),
    created_at: row.created_at.toISOString(),
    ...(row.expires_at ? { expires_at: row.expires_at.toISOString() } : {}),
    ...(row.last_used_at ? { last_used_at: row.last_used_at.toISOString() } : {}),
    ...(row.revoked_at ? { revoked_at: row.revoked_at.toISOString() } : {}),
  }
  const tagged = withEntityTag(resource)
  return secret === undefined ? tagged : { ...tagged, token: secret }
}
