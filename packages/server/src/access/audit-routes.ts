import { type AuditEvent, listAuditEvents as listEndpoint } from '@gantry/api'
import { pageLinks } from '../kernel/page-links.ts'
import type { AccessDeps } from './access-deps.ts'
import { type AuditRow, listAuditEvents } from './audit-store.ts'
import { type BoundEndpoint, bind } from './endpoint-binding.ts'

export function auditRoutes(deps: AccessDeps): readonly BoundEndpoint[] {
  return [
    bind(listEndpoint, async ({ scope, query, baseUrl }) => {
      const page = await listAuditEvents(deps.db, scope, query, query)
      return {
        audit_events: page.rows.map(auditResource),
        ...pageLinks({ baseUrl, path: '/v1/audit_events', query }, page.next),
      }
    }),
  ]
}

function auditResource({ id, created_at, actor, action, object, outcome, address, request_id }: AuditRow): AuditEvent {
  return {
    id,
    created_at: created_at.toISOString(),
    actor,
    action,
    object,
    outcome,
    ...(address === null ? {} : { address }),
    request_id: request_id ?? '',
  }
}
