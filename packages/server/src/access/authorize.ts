import { type Permission, permissions } from '@gantry/api'
import { UserError } from '../kernel/errors.ts'
import type { AppId, TeamId } from '../kernel/ids.ts'
import { permissionTable, teamWidePermissions } from './permissions.ts'
import type { Principal, TeamScope } from './principal.ts'

/** What an action is about, where that is known before a store is asked. */
export interface ActionObject {
  readonly teamId: TeamId
  readonly appId?: AppId
}

/**
 * The one place that says yes. Throws `not_found` for what belongs to others, so that it looks like what is missing, and
 * `forbidden` for what token or role do not permit; else returns the scope that every store query needs.
 */
export function authorize(principal: Principal, action: Permission, object?: ActionObject): TeamScope {
  if (object !== undefined && isForeign(principal, object)) {
    throw new UserError('not_found', 'There is no such thing, or this token may not see it.')
  }
  if (!isPermitted(principal, action)) {
    throw new UserError('forbidden', `This needs the permission ${action}, which ${lackOf(principal, action)}.`)
  }
  const { teamId: team, appId: app } = principal
  return (app === undefined ? { team } : { team, app }) as TeamScope
}

/** Everything the principal may do: what a token that it makes can have at most. */
export function permittedTo(principal: Principal): readonly Permission[] {
  return permissions.filter((action) => isPermitted(principal, action))
}

function isPermitted(principal: Principal, action: Permission): boolean {
  if (principal.appId !== undefined && teamWidePermissions.has(action)) return false
  return principal.scopes.includes(action) && permissionTable[principal.role].has(action)
}

function isForeign(principal: Principal, object: ActionObject): boolean {
  if (object.teamId !== principal.teamId) return true
  return principal.appId !== undefined && object.appId !== undefined && object.appId !== principal.appId
}

function lackOf(principal: Principal, action: Permission): string {
  if (principal.isInvitation) return 'an invitation does not have: make a token with it first (gantry join)'
  if (!permissionTable[principal.role].has(action)) return `the role ${principal.role} does not have`
  return principal.scopes.includes(action) ? 'a token limited to one app cannot have' : 'this token does not have'
}
