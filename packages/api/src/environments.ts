import { z } from 'zod'
import { collectionOf, pageParameters } from './collections.ts'
import { defineEndpoint, type Immutable } from './endpoint.ts'
import * as example from './examples/values.ts'
import { entityTag, href, identifier, identifierParameter, integer, oneOf, text, timestamp } from './fields.ts'
import { environmentName, maxProcessTypeLength, maxScale, processTypePattern } from './names.ts'
import { appIdentity, appReference, releaseReference } from './references.ts'

export const environmentStatuses = ['empty', 'stopped', 'deploying', 'running', 'degraded'] as const

const processType = z.string().regex(processTypePattern).min(1).max(maxProcessTypeLength)
const count = integer({ description: 'The number of instances.', max: maxScale, example: 1 })

const scaleSchema = z.record(processType, count).meta({
  id: 'Scale',
  description: 'How many instances run, by process type.',
  maxProperties: 50,
  examples: [{ web: 1 }],
})

const scalePatchSchema = z.record(processType, count.nullable()).meta({
  id: 'ScalePatch',
  description: 'How many instances to run, by process type; `null` returns to the default (`web` 1, others 0).',
  maxProperties: 50,
  examples: [{ web: 3 }],
})

export const environmentSchema = z
  .strictObject({
    id: identifier('The identifier of the environment.', example.ids.production),
    href: href('The URL of the environment.', example.environmentReference.href),
    name: environmentName,
    label: text({
      description: "The first part of its host name: the app's name for production, `staging--shop` otherwise.",
      pattern: /^[a-z]([-a-z0-9]*[a-z0-9])?$/,
      max: 61,
      example: 'shop',
    }),
    app: appReference,
    url: href('Where the app answers.', 'http://shop.localhost:8080'),
    status: oneOf(
      'What it does: `empty` without a release, `stopped` when nothing is scaled above 0, `deploying` while a release is being rolled out, `degraded` when instances are missing.',
      environmentStatuses,
      'running',
    ),
    scale: scaleSchema,
    desired_release: releaseReference.optional(),
    live_release: releaseReference.optional(),
    created_at: timestamp('When the environment was created.'),
    updated_at: timestamp('When the environment was last changed.'),
    etag: entityTag,
  })
  .meta({
    id: 'Environment',
    description: 'An environment of an app. `desired_release` and `live_release` are absent before the first release.',
  })

export type Environment = Immutable<z.output<typeof environmentSchema>>
export type EnvironmentStatus = Environment['status']

export const environmentPrototypeSchema = z
  .strictObject({ app: appIdentity, name: environmentName })
  .meta({ id: 'EnvironmentPrototype', description: 'The environment to create.' })

export const environmentPatchSchema = z
  .strictObject({ scale: scalePatchSchema.optional() })
  .meta({ id: 'EnvironmentPatch', description: 'The fields of the environment to change.' })

export const environmentCollectionSchema = collectionOf(
  { id: 'EnvironmentCollection', key: 'environments', nouns: 'environments' },
  environmentSchema,
)

export const exampleEnvironment = {
  ...example.environmentReference,
  label: 'shop',
  app: example.appReference,
  url: 'http://shop.localhost:8080',
  status: 'running',
  scale: { web: 1 },
  desired_release: example.releaseReference,
  live_release: example.releaseReference,
  created_at: example.at.created,
  updated_at: example.at.finished,
  etag: example.etag,
} satisfies Environment

export const environmentParams = z.strictObject({
  id: identifierParameter('The id or the label of the environment: `shop`, `staging--shop`.', 'shop'),
})

export const listEnvironments = defineEndpoint({
  operationId: 'list_environments',
  method: 'GET',
  path: '/v1/environments',
  tag: 'environments',
  permission: 'environment:read',
  summary: 'List environments',
  description: 'Retrieve one page of environments, newest first.',
  query: z.strictObject({
    ...pageParameters,
    app_id: identifierParameter('Return only the environments of this app, by id or name.', 'shop').optional(),
  }),
  reply: {
    status: 200,
    mediaType: 'application/json',
    schema: environmentCollectionSchema,
    description: 'A page of environments.',
    example: example.onlyPage('/v1/environments', 'environments', exampleEnvironment),
  },
  errors: ['invalid_page_token', 'not_found'],
})

export const createEnvironment = defineEndpoint({
  operationId: 'create_environment',
  method: 'POST',
  path: '/v1/environments',
  tag: 'environments',
  permission: 'environment:create',
  summary: 'Create an environment',
  description: 'Create another environment of an app. It is empty until something is deployed to it.',
  idempotent: true,
  body: {
    mediaType: 'application/json',
    schema: environmentPrototypeSchema,
    description: 'The environment to create.',
    example: { app: { id: 'shop' }, name: 'staging' },
  },
  reply: {
    status: 201,
    mediaType: 'application/json',
    schema: environmentSchema,
    description: 'The environment was created.',
    example: exampleEnvironment,
  },
  errors: ['name_invalid', 'name_taken', 'not_found'],
})

export const getEnvironment = defineEndpoint({
  operationId: 'get_environment',
  method: 'GET',
  path: '/v1/environments/{id}',
  tag: 'environments',
  permission: 'environment:read',
  summary: 'Retrieve an environment',
  description: 'Retrieve one environment, by id or by label.',
  conditional: 'if_none_match',
  params: environmentParams,
  reply: {
    status: 200,
    mediaType: 'application/json',
    schema: environmentSchema,
    description: 'The environment.',
    example: exampleEnvironment,
  },
})

export const updateEnvironment = defineEndpoint({
  operationId: 'update_environment',
  method: 'PATCH',
  path: '/v1/environments/{id}',
  tag: 'environments',
  permission: 'environment:update',
  summary: 'Update an environment',
  description: 'Change how many instances of each process type run. Types that are not named keep their number.',
  conditional: 'if_match',
  params: environmentParams,
  body: {
    mediaType: 'application/merge-patch+json',
    schema: environmentPatchSchema,
    description: 'The fields to change.',
    example: { scale: { web: 3 } },
  },
  reply: {
    status: 200,
    mediaType: 'application/json',
    schema: environmentSchema,
    description: 'The updated environment.',
    example: { ...exampleEnvironment, scale: { web: 3 } },
  },
  errors: ['process_type_unknown'],
})

export const restartEnvironment = defineEndpoint({
  operationId: 'restart_environment',
  method: 'POST',
  path: '/v1/environments/{id}/restart',
  tag: 'environments',
  permission: 'environment:update',
  summary: 'Restart an environment',
  description: 'Replace every instance by a new one of the same release, the new one first. No request is lost.',
  idempotent: true,
  params: environmentParams,
  reply: {
    status: 202,
    mediaType: 'application/json',
    schema: environmentSchema,
    description: 'The restart was accepted.',
    example: { ...exampleEnvironment, status: 'deploying' },
  },
  errors: ['nothing_to_restart'],
})

export const deleteEnvironment = defineEndpoint({
  operationId: 'delete_environment',
  method: 'DELETE',
  path: '/v1/environments/{id}',
  tag: 'environments',
  permission: 'environment:delete',
  summary: 'Delete an environment',
  description: 'Delete an environment with its config, releases and logs. `production` lives as long as its app.',
  conditional: 'if_match',
  params: environmentParams,
  reply: { status: 204, description: 'The environment was deleted.' },
  errors: ['environment_protected'],
})

export const environmentEndpoints = [
  listEnvironments,
  createEnvironment,
  getEnvironment,
  updateEnvironment,
  restartEnvironment,
  deleteEnvironment,
] as const
