import { z } from 'zod'
import { collectionOf, pageParameters } from './collections.ts'
import { defineEndpoint, type Immutable } from './endpoint.ts'
import * as example from './examples/values.ts'
import { entityTag, href, identifier, identifierParameter, integer, oneOf, prose, text, timestamp } from './fields.ts'
import { maxProcessTypeLength, processTypePattern } from './names.ts'
import { appReference, environmentReference, releaseReference } from './references.ts'

export const instanceStatuses = ['starting', 'healthy', 'unhealthy', 'draining', 'stopping', 'ended'] as const

export const instanceSchema = z
  .strictObject({
    id: identifier('The identifier of the instance.', example.ids.instance),
    href: href('The URL of the instance.', `${example.baseUrl}/v1/instances/${example.ids.instance}`),
    name: text({
      description: 'Process type and slot. A successor in the same slot has the same name.',
      pattern: /^[A-Za-z][A-Za-z0-9_-]*\.[0-9]+$/,
      min: 3,
      max: 80,
      example: 'web.1',
    }),
    app: appReference,
    environment: environmentReference,
    release: releaseReference,
    process_type: text({
      description: 'The process type it runs.',
      pattern: processTypePattern,
      max: maxProcessTypeLength,
      example: 'web',
    }),
    status: oneOf('What it does.', instanceStatuses, 'healthy'),
    address: text({
      description: 'Where it listens: host and port, or the path of a socket. Absent for what takes no requests.',
      pattern: /^[^\u0000]+$/,
      max: 255,
      example: '127.0.0.1:20001',
    }).optional(),
    crash_count: integer({ description: 'Crashes in a row in this slot.', example: 0 }),
    end_reason: prose('Why it ended, in words. Absent while it runs.', 'exit code 1', 1024).optional(),
    created_at: timestamp('When it was decided on.'),
    started_at: timestamp('When its process started. Absent before that.', example.at.started).optional(),
    healthy_at: timestamp('When it passed its health check. Absent before that.', example.at.healthy).optional(),
    ended_at: timestamp('When its last process was gone. Absent before that.', example.at.finished).optional(),
    etag: entityTag,
  })
  .meta({ id: 'Instance', description: 'One running copy of a process type of a release.' })

export type Instance = Immutable<z.output<typeof instanceSchema>>
export type InstanceStatus = Instance['status']

export const instanceCollectionSchema = collectionOf(
  { id: 'InstanceCollection', key: 'instances', nouns: 'instances' },
  instanceSchema,
)

const exampleInstance = {
  id: example.ids.instance,
  href: `${example.baseUrl}/v1/instances/${example.ids.instance}`,
  name: 'web.1',
  app: example.appReference,
  environment: example.environmentReference,
  release: example.releaseReference,
  process_type: 'web',
  status: 'healthy',
  address: '127.0.0.1:20001',
  crash_count: 0,
  created_at: example.at.created,
  started_at: example.at.started,
  healthy_at: example.at.healthy,
  etag: example.etag,
} satisfies Instance

export const listInstances = defineEndpoint({
  operationId: 'list_instances',
  method: 'GET',
  path: '/v1/instances',
  tag: 'instances',
  permission: 'instance:read',
  summary: 'List instances',
  description:
    'Retrieve one page of instances, newest first. Those that have ended are left out unless `status` asks for them.',
  query: z.strictObject({
    ...pageParameters,
    app_id: identifierParameter('Return only the instances of this app, by id or name.', 'shop').optional(),
    environment_id: identifierParameter(
      'Return only the instances of this environment, by id or label.',
      'shop',
    ).optional(),
    status: oneOf('Return only the instances with this status.', instanceStatuses, 'healthy').optional(),
  }),
  reply: {
    status: 200,
    mediaType: 'application/json',
    schema: instanceCollectionSchema,
    description: 'A page of instances.',
    example: example.onlyPage('/v1/instances', 'instances', exampleInstance),
  },
  errors: ['invalid_page_token', 'not_found'],
})

export const getInstance = defineEndpoint({
  operationId: 'get_instance',
  method: 'GET',
  path: '/v1/instances/{id}',
  tag: 'instances',
  permission: 'instance:read',
  summary: 'Retrieve an instance',
  description: 'Retrieve one instance.',
  conditional: 'if_none_match',
  params: z.strictObject({ id: identifierParameter('The identifier of the instance.', example.ids.instance) }),
  reply: {
    status: 200,
    mediaType: 'application/json',
    schema: instanceSchema,
    description: 'The instance.',
    example: exampleInstance,
  },
})

export const instanceEndpoints = [listInstances, getInstance] as const
