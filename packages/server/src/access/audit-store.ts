import type { Queryable } from '../db/database.ts'
import type { TeamScope } from './principal.ts'

export interface AuditRow {
  readonly at: Date
  readonly actor: string
  readonly action: string
  readonly object: string
  readonly outcome: 'allowed' | 'refused'
  readonly requestId: string
}

/** Old events go a few at a time with each new one, those of any team: nothing else would ever visit them. */
export async function insertAuditEvent(db: Queryable, scope: TeamScope, event: AuditRow): Promise<void> {
  await db.query(
    `with old as (delete from audit_events where id in (
       select id from audit_events where at < $2::timestamptz - interval '400 days' order by at limit 10))
     insert into audit_events (team_id, at, actor, action, object, outcome, request_id) values ($1, $2, $3, $4, $5, $6, $7)`,
    [scope.team, event.at, event.actor, event.action, event.object, event.outcome, event.requestId],
  )
}
