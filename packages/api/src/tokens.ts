import { z } from 'zod'
import { collectionOf, pageParameters } from './collections.ts'
import { defineEndpoint, type Immutable } from './endpoint.ts'
import * as example from './examples/values.ts'
import { entityTag, href, identifier, identifierParameter, text, timestamp } from './fields.ts'
import { isPermission, type Permission, permissions } from './permissions.ts'
import { appIdentity, appReference } from './references.ts'

/** A string in the document, since IBM's enumerations have no colon; what it may be is checked in code, and typed. */
const scope = z
  .string()
  .regex(/^[a-z]+:[a-z]+$/)
  .min(3)
  .max(64)
  .refine(isPermission, 'must be a permission that Gantry knows')
  .meta({ description: 'A permission.', examples: ['app:read'] }) as unknown as z.ZodType<Permission, string>

const scopes = z
  .array(scope)
  .min(1)
  .max(permissions.length)
  .refine((list) => new Set(list).size === list.length, 'must not name a permission twice')
  .meta({
    description: 'What the token permits. Never more than the role of its owner.',
    examples: [['app:read', 'log:read']],
  })

const name = text({
  description: 'What the token is for.',
  pattern: /^[^\u0000-\u001f\u007f]+$/,
  max: 100,
  example: 'ci',
})

const expiresAt = timestamp('When it stops working. Absent: when it is revoked.', '2027-08-22T09:30:00.000Z')

export const tokenSchema = z
  .strictObject({
    id: identifier('The identifier of the token.', example.ids.token),
    href: href('The URL of the token.', `${example.baseUrl}/v1/tokens/${example.ids.token}`),
    name,
    prefix: text({
      description: 'The first characters of the token, to recognise it by.',
      pattern: /^[A-Za-z0-9_]+$/,
      min: 4,
      max: 32,
      example: 'gantry_7Qm2',
    }),
    scopes,
    app: appReference.optional(),
    created_at: timestamp('When the token was made.'),
    expires_at: expiresAt.optional(),
    last_used_at: timestamp(
      'When it was last used, to the minute. Absent before that.',
      example.at.finished,
    ).optional(),
    revoked_at: timestamp('When it was revoked. Absent before that.', example.at.finished).optional(),
    token: text({
      description: 'The token itself. Only in the reply that creates it: it is kept as a hash.',
      pattern: /^[A-Za-z0-9_]+$/,
      min: 32,
      max: 128,
      example: 'gantry_7Qm2vXfK3pYhB9sWcT5nDzJr8LgVa1Ue4',
    }).optional(),
    etag: entityTag,
  })
  .meta({ id: 'Token', description: 'A token. `app` is present when it is limited to one app.' })

export type Token = Immutable<z.output<typeof tokenSchema>>

export const tokenPrototypeSchema = z
  .strictObject({
    name,
    scopes: scopes.optional(),
    app: appIdentity.optional(),
    expires_at: expiresAt.optional(),
  })
  .meta({
    id: 'TokenPrototype',
    description:
      "The token to make. Without `scopes` it permits all that its maker's role does; with `app`, only on that app.",
  })

export const tokenCollectionSchema = collectionOf(
  { id: 'TokenCollection', key: 'tokens', nouns: 'tokens' },
  tokenSchema,
)

const exampleToken = {
  id: example.ids.token,
  href: `${example.baseUrl}/v1/tokens/${example.ids.token}`,
  name: 'ci',
  prefix: 'gantry_7Qm2',
  scopes: ['app:read', 'deploy:create', 'source:create'],
  app: example.appReference,
  created_at: example.at.created,
  expires_at: '2027-08-22T09:30:00.000Z',
  etag: example.etag,
} satisfies Token

const params = z.strictObject({ id: identifierParameter('The identifier of the token.', example.ids.token) })

export const listTokens = defineEndpoint({
  operationId: 'list_tokens',
  method: 'GET',
  path: '/v1/tokens',
  tag: 'tokens',
  permission: 'token:read',
  summary: 'List tokens',
  description: 'Retrieve one page of the tokens of the team, newest first. Revoked ones are kept for the record.',
  query: z.strictObject(pageParameters),
  reply: {
    status: 200,
    mediaType: 'application/json',
    schema: tokenCollectionSchema,
    description: 'A page of tokens.',
    example: example.onlyPage('/v1/tokens', 'tokens', exampleToken),
  },
  errors: ['invalid_page_token'],
})

export const createToken = defineEndpoint({
  operationId: 'create_token',
  method: 'POST',
  path: '/v1/tokens',
  tag: 'tokens',
  permission: 'token:create',
  summary: 'Create a token',
  description:
    'Make a token. `token` is shown in this reply and never again. A token cannot permit more than the one that makes it.',
  body: {
    mediaType: 'application/json',
    schema: tokenPrototypeSchema,
    description: 'The token to make.',
    example: { name: 'ci', scopes: ['app:read', 'deploy:create', 'source:create'], app: { id: 'shop' } },
  },
  reply: {
    status: 201,
    mediaType: 'application/json',
    schema: tokenSchema,
    description: 'The token was made.',
    example: { ...exampleToken, token: 'gantry_7Qm2vXfK3pYhB9sWcT5nDzJr8LgVa1Ue4' },
    cache: 'no-store',
  },
  errors: ['not_found'],
})

export const getToken = defineEndpoint({
  operationId: 'get_token',
  method: 'GET',
  path: '/v1/tokens/{id}',
  tag: 'tokens',
  permission: 'token:read',
  summary: 'Retrieve a token',
  description: 'Retrieve what is known of one token, without the token itself.',
  conditional: 'if_none_match',
  params,
  reply: {
    status: 200,
    mediaType: 'application/json',
    schema: tokenSchema,
    description: 'The token.',
    example: exampleToken,
  },
})

export const deleteToken = defineEndpoint({
  operationId: 'delete_token',
  method: 'DELETE',
  path: '/v1/tokens/{id}',
  tag: 'tokens',
  permission: 'token:delete',
  summary: 'Revoke a token',
  description: 'Revoke a token. It stops working at once, everywhere.',
  conditional: 'if_match',
  params,
  reply: { status: 204, description: 'The token was revoked.' },
})

export const tokenEndpoints = [listTokens, createToken, getToken, deleteToken] as const
