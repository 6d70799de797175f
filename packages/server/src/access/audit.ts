import type { AccessDeps } from './access-deps.ts'
import type { Principal } from './principal.ts'

export interface AuditEvent {
  readonly principal: Principal
  /** What was asked for: the operation, such as `delete_app`, or `git push`. */
  readonly action: string
  /** What it was about: the path. */
  readonly object: string
  readonly outcome: 'allowed' | 'refused'
  readonly requestId: string
}

/** Records what was changed and what was refused. Never fails the request: a record that is lost is logged. */
export type Audit = (event: AuditEvent) => Promise<void>

/** Kept for a year and a month; what is older goes a few rows at a time, whenever something is recorded. */
export function createAudit(deps: Pick<AccessDeps, 'db' | 'clock' | 'logger'>): Audit {
  return async ({ principal, action, object, outcome, requestId }) => {
    const actor = `${principal.personName} (${principal.tokenId})`
    try {
      await deps.db.query(
        `with old as (delete from audit_events where id in (
           select id from audit_events where at < $2::timestamptz - interval '400 days' order by at limit 10))
         insert into audit_events (team_id, at, actor, action, object, outcome, request_id) values ($1, $2, $3, $4, $5, $6, $7)`,
        [principal.teamId, deps.clock.now(), actor, action, object.slice(0, 1000), outcome, requestId],
      )
    } catch (error) {
      deps.logger.error({ actor, action, object, outcome, requestId, err: error }, 'an audit event was not recorded')
    }
  }
}
