import { z } from 'zod'
import { defineEndpoint, type Immutable } from './endpoint.ts'
import * as example from './examples/values.ts'
import { entityTag, href, identifier, identifierParameter, integer, timestamp } from './fields.ts'
import { appReference, commitSha } from './references.ts'

export const sourceSchema = z
  .strictObject({
    id: identifier('The identifier of the source.', example.ids.source),
    href: href('The URL of the source.', example.sourceReference.href),
    app: appReference,
    commit_sha: commitSha,
    size_bytes: integer({
      description: 'The size of its files together.',
      max: Number.MAX_SAFE_INTEGER,
      example: 18_231,
    }),
    file_count: integer({ description: 'The number of its files.', example: 12 }),
    created_at: timestamp('When it was uploaded.'),
    etag: entityTag,
  })
  .meta({ id: 'Source', description: 'An uploaded tree, kept as a commit.' })

export type Source = Immutable<z.output<typeof sourceSchema>>

const exampleSource = {
  ...example.sourceReference,
  app: example.appReference,
  commit_sha: example.commitSha,
  size_bytes: 18_231,
  file_count: 12,
  created_at: example.at.created,
  etag: example.etag,
} satisfies Source

export const createSource = defineEndpoint({
  operationId: 'create_source',
  method: 'POST',
  path: '/v1/sources',
  tag: 'sources',
  permission: 'source:create',
  summary: 'Upload a source',
  description:
    'Upload a tree of files as a tar archive, optionally with `Content-Encoding: gzip`. Begin a deploy of the kind `upload` with its id.',
  query: z.strictObject({ app_id: identifierParameter('The app it is for, by id or name.', 'shop') }),
  body: {
    mediaType: 'application/x-tar',
    description: 'A tar archive (ustar or pax) of files, folders and symbolic links.',
    maxBytes: 1024 * 1024 * 1024,
  },
  reply: {
    status: 201,
    mediaType: 'application/json',
    schema: sourceSchema,
    description: 'The source was stored.',
    example: exampleSource,
  },
  errors: [
    'not_found',
    'archive_invalid',
    'empty_tree',
    'path_rejected',
    'link_rejected',
    'file_type_rejected',
    'too_many_files',
    'file_too_large',
    'payload_too_large',
    'disk_full',
  ],
})

export const getSource = defineEndpoint({
  operationId: 'get_source',
  method: 'GET',
  path: '/v1/sources/{id}',
  tag: 'sources',
  permission: 'source:read',
  summary: 'Retrieve a source',
  description: 'Retrieve what is known of one uploaded tree.',
  conditional: 'if_none_match',
  params: z.strictObject({ id: identifierParameter('The identifier of the source.', example.ids.source) }),
  reply: {
    status: 200,
    mediaType: 'application/json',
    schema: sourceSchema,
    description: 'The source.',
    example: exampleSource,
  },
})

export const sourceEndpoints = [createSource, getSource] as const
