import type { AccessDeps } from './access-deps.ts'
import { type AuditOutcome, insertAuditEvent } from './audit-store.ts'
import { type Principal, systemScope } from './principal.ts'

export interface AuditEvent {
  readonly principal: Principal
  /** What was asked for: the operation, such as `delete_app`, or `git push`. */
  readonly action: string
  /** What it was about: the path. */
  readonly object: string
  readonly outcome: AuditOutcome
  readonly requestId: string
  /** Where it came from, as the socket tells. */
  readonly address: string | undefined
}

/** Records what was changed and what was refused. Never fails the request: a record that is lost is logged. */
export type Audit = (event: AuditEvent) => Promise<void>

/** A refusal has no scope of its own: what is recorded belongs to the principal's team. */
export function createAudit({
  db,
  clock,
  logger,
  newId,
}: Pick<AccessDeps, 'db' | 'clock' | 'logger' | 'newId'>): Audit {
  return async ({ principal, ...event }) => {
    const actor = `${principal.personName} (${principal.tokenId})`
    try {
      const row = { ...event, id: newId('auditEvent'), actor, object: event.object.slice(0, 1000), at: clock.now() }
      await insertAuditEvent(db, systemScope(principal.teamId), row)
    } catch (error) {
      logger.error({ ...event, actor, err: error }, 'an audit event was not recorded')
    }
  }
}
