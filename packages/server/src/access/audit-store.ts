import type { AuditEvent as ShownAuditEvent } from '@gantry/api'
import type { Queryable } from '../db/database.ts'
import { type Page, type PageRequest, queryPage } from '../db/keyset-page.ts'
import type { AuditEventId } from '../kernel/ids.ts'
import type { TeamScope } from './principal.ts'

export type AuditOutcome = ShownAuditEvent['outcome']

export interface NewAuditEvent {
  readonly id: AuditEventId
  readonly at: Date
  readonly actor: string
  readonly action: string
  readonly object: string
  readonly outcome: AuditOutcome
  readonly requestId: string
  readonly address: string | undefined
}

export interface AuditRow {
  readonly id: AuditEventId
  readonly created_at: Date
  readonly actor: string
  readonly action: string
  readonly object: string
  readonly outcome: AuditOutcome
  readonly request_id: string | null
  readonly address: string | null
}

/** Old events go a few at a time with each new one, those of any team: nothing else would ever visit them. */
export async function insertAuditEvent(db: Queryable, scope: TeamScope, event: NewAuditEvent): Promise<void> {
  await db.query(
    `with old as (delete from audit_events where id in (
       select id from audit_events where created_at < $3::timestamptz - interval '400 days' order by created_at limit 10))
     insert into audit_events (id, team_id, created_at, actor, action, object, outcome, request_id, address)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    [
      event.id,
      scope.team,
      event.at,
      event.actor,
      event.action,
      event.object,
      event.outcome,
      event.requestId,
      event.address ?? null,
    ],
  )
}

export interface AuditFilters {
  readonly action?: string | undefined
  readonly outcome?: AuditOutcome | undefined
}

export async function listAuditEvents(
  db: Queryable,
  scope: TeamScope,
  { action, outcome }: AuditFilters,
  page: PageRequest,
): Promise<Page<AuditRow>> {
  return await queryPage<AuditRow>(db, {
    sql: `select e.id, e.created_at, e.actor, e.action, e.object, e.outcome, e.request_id, e.address from audit_events e
      where e.team_id = $1 and ($2::text is null or e.action = $2) and ($3::text is null or e.outcome = $3)`,
    parameters: [scope.team, action ?? null, outcome ?? null],
    alias: 'e',
    page,
    filters: { action, outcome },
  })
}
