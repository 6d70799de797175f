import { z } from 'zod'
import { collectionOf, pageParameters } from './collections.ts'
import { defineEndpoint, type Immutable } from './endpoint.ts'
import * as example from './examples/values.ts'
import { identifier, oneOf, text, timestamp } from './fields.ts'

const outcome = oneOf('Whether it was allowed and done, or refused.', ['allowed', 'refused'], 'allowed')

const action = text({
  description: 'The operation, or `git push`.',
  pattern: /^[a-z_ ]+$/,
  max: 64,
  example: 'delete_app',
})

export const auditEventSchema = z
  .strictObject({
    id: identifier('The identifier of the event.', example.ids.auditEvent),
    created_at: timestamp('When it happened.'),
    actor: text({
      description: 'Who it was: the name of the person, and the id of the token.',
      pattern: /^[^\u0000]+$/,
      max: 255,
      example: `Mia (${example.ids.token})`,
    }),
    action,
    object: text({
      description: 'What it was about: the path that was asked for.',
      pattern: /^[^\u0000]*$/,
      min: 0,
      max: 1000,
      example: `/v1/apps/${example.ids.app}`,
    }),
    outcome,
    address: text({
      description: 'The network address it came from, as the server saw it: behind a proxy the address of the proxy.',
      pattern: /^[0-9a-fA-F:.%a-z]+$/,
      max: 64,
      example: '127.0.0.1',
    }).optional(),
    request_id: text({
      description: 'The id of the request, which the log has too.',
      pattern: /^[^\u0000]*$/,
      min: 0,
      max: 1024,
      example: 'req-01j9zq7c8m4t5v6w7x8y9zabcd',
    }),
  })
  .meta({ id: 'AuditEvent', description: 'A change that was made, or an attempt that was refused.' })

export type AuditEvent = Immutable<z.output<typeof auditEventSchema>>

export const auditEventCollectionSchema = collectionOf(
  { id: 'AuditEventCollection', key: 'audit_events', nouns: 'audit events' },
  auditEventSchema,
)

const exampleEvent = {
  id: example.ids.auditEvent,
  created_at: example.at.created,
  actor: `Mia (${example.ids.token})`,
  action: 'delete_app',
  object: `/v1/apps/${example.ids.app}`,
  outcome: 'refused',
  address: '127.0.0.1',
  request_id: 'req-01j9zq7c8m4t5v6w7x8y9zabcd',
} satisfies AuditEvent

export const listAuditEvents = defineEndpoint({
  operationId: 'list_audit_events',
  method: 'GET',
  path: '/v1/audit_events',
  tag: 'audit',
  permission: 'audit:read',
  summary: 'List audit events',
  description:
    'Retrieve one page of who changed what, and of what was refused, newest first. Events are kept for 400 days, and nobody can change them.',
  query: z.strictObject({
    ...pageParameters,
    action: action.optional(),
    outcome: outcome.optional(),
  }),
  reply: {
    status: 200,
    mediaType: 'application/json',
    schema: auditEventCollectionSchema,
    description: 'A page of audit events.',
    example: example.onlyPage('/v1/audit_events', 'audit_events', exampleEvent),
  },
  errors: ['invalid_page_token'],
})

export const auditEndpoints = [listAuditEvents] as const
