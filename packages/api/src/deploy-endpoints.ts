import { z } from 'zod'
import { pageParameters } from './collections.ts'
import {
  deployCollectionSchema,
  deployEventCollectionSchema,
  deployParams,
  deployPrototypeSchema,
  deploySchema,
  deployStatuses,
  exampleDeploy,
} from './deploys.ts'
import { defineEndpoint } from './endpoint.ts'
import * as example from './examples/values.ts'
import { identifierParameter, oneOf } from './fields.ts'

const { commit_sha: _commit, build: _build, release: _release, finished_at: _finished, ...begun } = exampleDeploy
const exampleRollback = {
  ...begun,
  kind: 'rollback',
  status: 'queued',
  rollback_to: example.earlierReleaseReference,
  updated_at: example.at.created,
}

export const listDeploys = defineEndpoint({
  operationId: 'list_deploys',
  method: 'GET',
  path: '/v1/deploys',
  tag: 'deploys',
  permission: 'deploy:read',
  summary: 'List deploys',
  description: 'Retrieve one page of deploys, newest first.',
  query: z.strictObject({
    ...pageParameters,
    app_id: identifierParameter('Return only the deploys of this app, by id or name.', 'shop').optional(),
    environment_id: identifierParameter(
      'Return only the deploys to this environment, by id or label.',
      'shop',
    ).optional(),
    status: oneOf('Return only the deploys with this status.', deployStatuses, 'failed').optional(),
  }),
  reply: {
    status: 200,
    mediaType: 'application/json',
    schema: deployCollectionSchema,
    description: 'A page of deploys.',
    example: example.onlyPage('/v1/deploys', 'deploys', exampleDeploy),
  },
  errors: ['invalid_page_token', 'not_found'],
})

export const createDeploy = defineEndpoint({
  operationId: 'create_deploy',
  method: 'POST',
  path: '/v1/deploys',
  tag: 'deploys',
  permission: 'deploy:create',
  summary: 'Begin a deploy',
  description:
    'Begin to make an upload, a commit or an earlier release live. Poll `Location` until `status` is final, or follow the log stream. What has not switched yet in the environment is superseded.',
  idempotent: true,
  body: {
    mediaType: 'application/json',
    schema: deployPrototypeSchema,
    description: 'The deploy to begin.',
    example: { environment: { id: 'shop' }, kind: 'rollback', rollback_to: { id: 'v4' } },
  },
  reply: {
    status: 202,
    mediaType: 'application/json',
    schema: deploySchema,
    description: 'The deploy was accepted.',
    example: exampleRollback,
  },
  errors: [
    'not_found',
    'source_not_found',
    'commit_not_found',
    'no_release_to_roll_back_to',
    'already_live',
    'engine_unavailable',
  ],
})

export const getDeploy = defineEndpoint({
  operationId: 'get_deploy',
  method: 'GET',
  path: '/v1/deploys/{id}',
  tag: 'deploys',
  permission: 'deploy:read',
  summary: 'Retrieve a deploy',
  description: 'Retrieve one deploy.',
  conditional: 'if_none_match',
  params: deployParams,
  reply: {
    status: 200,
    mediaType: 'application/json',
    schema: deploySchema,
    description: 'The deploy.',
    example: exampleDeploy,
  },
})

export const cancelDeploy = defineEndpoint({
  operationId: 'cancel_deploy',
  method: 'POST',
  path: '/v1/deploys/{id}/cancel',
  tag: 'deploys',
  permission: 'deploy:cancel',
  summary: 'Cancel a deploy',
  description:
    'End a deploy that has not switched yet. A build that runs is stopped; the release that was live goes on.',
  idempotent: true,
  params: deployParams,
  reply: {
    status: 202,
    mediaType: 'application/json',
    schema: deploySchema,
    description: 'The cancellation was accepted.',
    example: exampleRollback,
  },
  errors: ['invalid_state'],
})

export const retryDeploy = defineEndpoint({
  operationId: 'retry_deploy',
  method: 'POST',
  path: '/v1/deploys/{id}/retry',
  tag: 'deploys',
  permission: 'deploy:create',
  summary: 'Retry a deploy',
  description: 'Begin a new deploy of the same source, commit or release as one that ended without going live.',
  idempotent: true,
  params: deployParams,
  reply: {
    status: 202,
    mediaType: 'application/json',
    schema: deploySchema,
    description: 'The new deploy was accepted.',
    example: { ...exampleRollback, retry_of: example.deployReference },
  },
  errors: ['invalid_state', 'source_not_found', 'commit_not_found', 'no_release_to_roll_back_to'],
})

export const listDeployEvents = defineEndpoint({
  operationId: 'list_deploy_events',
  method: 'GET',
  path: '/v1/deploys/{id}/events',
  tag: 'deploys',
  permission: 'deploy:read',
  summary: 'List the events of a deploy',
  description: 'Retrieve one page of the steps that a deploy took, oldest first.',
  params: deployParams,
  query: z.strictObject(pageParameters),
  reply: {
    status: 200,
    mediaType: 'application/json',
    schema: deployEventCollectionSchema,
    description: 'A page of events.',
    example: example.onlyPage(`/v1/deploys/${example.ids.deploy}/events`, 'events', {
      id: '42',
      at: example.at.started,
      from_status: 'queued',
      to_status: 'building',
      message: 'Building 7fd1a60',
    }),
  },
  errors: ['invalid_page_token'],
})

export const deployEndpoints = [
  listDeploys,
  createDeploy,
  getDeploy,
  cancelDeploy,
  retryDeploy,
  listDeployEvents,
] as const
