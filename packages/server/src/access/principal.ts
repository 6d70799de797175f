import type { Permission, Role } from '@gantry/api'
import type { AppId, Branded, PersonId, TeamId, TokenId } from '../kernel/ids.ts'

export { type Role, roles } from '@gantry/api'

/** Who acts, whatever transport brought the request: one token of one person in one team. */
export interface Principal {
  readonly tokenId: TokenId
  readonly personId: PersonId
  readonly personName: string
  readonly teamId: TeamId
  readonly role: Role
  /** What the token permits; the role limits it further. */
  readonly scopes: readonly Permission[]
  /** Set when the token is limited to one app. */
  readonly appId?: AppId
  /** It can make one token for the person, and nothing else. */
  readonly isInvitation?: true
}

/**
 * What a store may see: rows of this team and, when the token is limited to one app, of that app. Only `authorize` makes
 * one for a caller, and `systemScope` for a loop that works on a row it has read.
 */
export type TeamScope = Branded<{ readonly team: TeamId; readonly app?: AppId }, 'TeamScope'>

/** The scope of the platform's own loops, for the team of a row. Never for a request. */
export function systemScope(team: TeamId): TeamScope {
  return { team } as TeamScope
}
