import { z } from 'zod'
import { collectionOf, pageParameters } from './collections.ts'
import { defineEndpoint, type Immutable } from './endpoint.ts'
import * as example from './examples/values.ts'
import { entityTag, href, identifier, identifierParameter, oneOf, text, timestamp } from './fields.ts'
import { errorListOf } from './problems.ts'
import { appReference, artifactDigest, commitSha, environmentReference } from './references.ts'

export const buildStatuses = ['queued', 'building', 'succeeded', 'failed', 'cancelled'] as const

const status = oneOf(
  'How the build stands. `succeeded`, `failed` and `cancelled` are final.',
  buildStatuses,
  'succeeded',
)

export const buildSchema = z
  .strictObject({
    id: identifier('The identifier of the build.', example.ids.build),
    href: href('The URL of the build.', example.buildReference.href),
    app: appReference,
    environment: environmentReference,
    commit_sha: commitSha,
    status,
    builder: text({
      description: 'The builder that recognised the source. Absent before that.',
      pattern: /^[a-z][a-z0-9_-]*$/,
      max: 63,
      example: 'node',
    }).optional(),
    artifact_digest: artifactDigest.optional(),
    errors: errorListOf('Why the build failed. Empty unless `status` is `failed` or `cancelled`.'),
    created_at: timestamp('When the build was asked for.'),
    started_at: timestamp('When the build began. Absent before that.', example.at.started).optional(),
    finished_at: timestamp(
      'When the build reached a final status. Absent before that.',
      example.at.finished,
    ).optional(),
    etag: entityTag,
  })
  .meta({ id: 'Build', description: 'A build. `artifact_digest` is absent until it has succeeded.' })

export type Build = Immutable<z.output<typeof buildSchema>>
export type BuildStatus = Build['status']

export const buildCollectionSchema = collectionOf(
  { id: 'BuildCollection', key: 'builds', nouns: 'builds' },
  buildSchema,
)

const exampleBuild = {
  ...example.buildReference,
  app: example.appReference,
  environment: example.environmentReference,
  commit_sha: example.commitSha,
  status: 'succeeded',
  builder: 'node',
  artifact_digest: example.digest,
  errors: [],
  created_at: example.at.created,
  started_at: example.at.started,
  finished_at: example.at.finished,
  etag: example.etag,
} satisfies Build

export const listBuilds = defineEndpoint({
  operationId: 'list_builds',
  method: 'GET',
  path: '/v1/builds',
  tag: 'builds',
  permission: 'build:read',
  summary: 'List builds',
  description: 'Retrieve one page of builds, newest first.',
  query: z.strictObject({
    ...pageParameters,
    app_id: identifierParameter('Return only the builds of this app, by id or name.', 'shop').optional(),
    environment_id: identifierParameter(
      'Return only the builds for this environment, by id or label.',
      'shop',
    ).optional(),
    status: oneOf('Return only the builds with this status.', buildStatuses, 'failed').optional(),
  }),
  reply: {
    status: 200,
    mediaType: 'application/json',
    schema: buildCollectionSchema,
    description: 'A page of builds.',
    example: example.onlyPage('/v1/builds', 'builds', exampleBuild),
  },
  errors: ['invalid_page_token', 'not_found'],
})

export const getBuild = defineEndpoint({
  operationId: 'get_build',
  method: 'GET',
  path: '/v1/builds/{id}',
  tag: 'builds',
  permission: 'build:read',
  summary: 'Retrieve a build',
  description: 'Retrieve one build.',
  conditional: 'if_none_match',
  params: z.strictObject({ id: identifierParameter('The identifier of the build.', example.ids.build) }),
  reply: {
    status: 200,
    mediaType: 'application/json',
    schema: buildSchema,
    description: 'The build.',
    example: exampleBuild,
  },
})

export const buildEndpoints = [listBuilds, getBuild] as const
