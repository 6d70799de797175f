import { z } from 'zod'
import { collectionOf, pageParameters } from './collections.ts'
import { defineEndpoint, type Immutable } from './endpoint.ts'
import * as example from './examples/values.ts'
import { entityTag, flag, href, identifier, identifierParameter, integer, oneOf, text, timestamp } from './fields.ts'
import {
  actor,
  appReference,
  artifactDigest,
  commitSha,
  environmentReference,
  releaseName,
  releaseReference,
} from './references.ts'

export const processTypeSchema = z
  .strictObject({
    command: text({
      description: 'The line of shell that runs.',
      pattern: /^[^\u0000]+$/,
      max: 8192,
      example: 'node server.js',
    }),
    overlap: flag('Whether old and new instances may run beside each other.', true),
  })
  .meta({
    id: 'ProcessType',
    description: 'How one process type runs.',
    examples: [{ command: 'node server.js', overlap: true }],
  })

export const releaseSchema = z
  .strictObject({
    id: identifier('The identifier of the release.', example.ids.release),
    href: href('The URL of the release.', example.releaseReference.href),
    name: releaseName,
    version: integer({ description: 'Its number in the environment.', min: 1, example: 5 }),
    app: appReference,
    environment: environmentReference,
    artifact_digest: artifactDigest,
    commit_sha: commitSha.optional(),
    process_types: z.record(z.string(), processTypeSchema).meta({
      id: 'ProcessTypes',
      description: 'What runs, by process type.',
      maxProperties: 50,
      examples: [{ web: { command: 'node server.js', overlap: true } }],
    }),
    rollback_of: releaseReference.optional(),
    reason: oneOf('What made it.', ['deploy', 'config', 'rollback'], 'deploy'),
    is_live: flag('Whether the router serves it now.', true),
    created_by: actor,
    created_at: timestamp('When the release was made.'),
    etag: entityTag,
  })
  .meta({
    id: 'Release',
    description: 'A release. It never changes, but for `is_live`. `rollback_of` is the release a rollback took back.',
  })

export type Release = Immutable<z.output<typeof releaseSchema>>

export const releaseCollectionSchema = collectionOf(
  { id: 'ReleaseCollection', key: 'releases', nouns: 'releases' },
  releaseSchema,
)

const exampleRelease = {
  ...example.releaseReference,
  version: 5,
  app: example.appReference,
  environment: example.environmentReference,
  artifact_digest: example.digest,
  commit_sha: example.commitSha,
  process_types: { web: { command: 'node server.js', overlap: true } },
  reason: 'deploy',
  is_live: true,
  created_by: 'owner',
  created_at: example.at.created,
  etag: example.etag,
} satisfies Release

export const listReleases = defineEndpoint({
  operationId: 'list_releases',
  method: 'GET',
  path: '/v1/releases',
  tag: 'releases',
  permission: 'release:read',
  summary: 'List releases',
  description: 'Retrieve one page of releases, newest first.',
  query: z.strictObject({
    ...pageParameters,
    app_id: identifierParameter('Return only the releases of this app, by id or name.', 'shop').optional(),
    environment_id: identifierParameter(
      'Return only the releases of this environment, by id or label.',
      'shop',
    ).optional(),
  }),
  reply: {
    status: 200,
    mediaType: 'application/json',
    schema: releaseCollectionSchema,
    description: 'A page of releases.',
    example: example.onlyPage('/v1/releases', 'releases', exampleRelease),
  },
  errors: ['invalid_page_token', 'not_found'],
})

export const getRelease = defineEndpoint({
  operationId: 'get_release',
  method: 'GET',
  path: '/v1/releases/{id}',
  tag: 'releases',
  permission: 'release:read',
  summary: 'Retrieve a release',
  description: 'Retrieve one release.',
  conditional: 'if_none_match',
  params: z.strictObject({ id: identifierParameter('The identifier of the release.', example.ids.release) }),
  reply: {
    status: 200,
    mediaType: 'application/json',
    schema: releaseSchema,
    description: 'The release.',
    example: exampleRelease,
  },
})

export const releaseEndpoints = [listReleases, getRelease] as const
