import { z } from 'zod'
import { collectionOf, pageParameters } from './collections.ts'
import { defineEndpoint, type Immutable } from './endpoint.ts'
import * as example from './examples/values.ts'
import { entityTag, href, identifier, identifierParameter, text, timestamp } from './fields.ts'
import { appName } from './names.ts'

const branch = text({
  description: 'The branch whose pushes deploy production. `main` unless another was given.',
  pattern: /^[^\s~^:?*[\\\u0000-\u001f\u007f]+$/,
  max: 244,
  example: 'main',
})

const root = text({
  description: 'The folder of the repository that holds the app, relative with `/`; empty for the top.',
  pattern: /^([^/\u0000-\u001f\u007f]+(\/[^/\u0000-\u001f\u007f]+)*)?$/,
  min: 0,
  max: 1024,
  example: '',
})

export const appSchema = z
  .strictObject({
    id: identifier('The identifier of the app.', example.ids.app),
    href: href('The URL of the app.', example.appReference.href),
    name: appName,
    git_url: href('Where to push: the URL of the git remote.', `${example.baseUrl}/git/shop.git`),
    branch,
    root,
    created_at: timestamp('When the app was created.'),
    updated_at: timestamp('When the app was last changed.'),
    etag: entityTag,
  })
  .meta({ id: 'App', description: 'An app.' })

export type App = Immutable<z.output<typeof appSchema>>

export const appPrototypeSchema = z
  .strictObject({ name: appName, branch: branch.optional(), root: root.optional() })
  .meta({ id: 'AppPrototype', description: 'The app to create.' })

export const appPatchSchema = z
  .strictObject({ branch: branch.optional(), root: root.optional() })
  .meta({ id: 'AppPatch', description: 'The fields of the app to change.' })

export const appCollectionSchema = collectionOf({ id: 'AppCollection', key: 'apps', nouns: 'apps' }, appSchema)

const exampleApp = {
  ...example.appReference,
  git_url: `${example.baseUrl}/git/shop.git`,
  branch: 'main',
  root: '',
  created_at: example.at.created,
  updated_at: example.at.created,
  etag: example.etag,
} satisfies App

const params = z.strictObject({ id: identifierParameter('The id or the name of the app.', 'shop') })

export const listApps = defineEndpoint({
  operationId: 'list_apps',
  method: 'GET',
  path: '/v1/apps',
  tag: 'apps',
  permission: 'app:read',
  summary: 'List apps',
  description: 'Retrieve one page of the apps that the token may see, newest first.',
  query: z.strictObject({
    ...pageParameters,
    name: identifierParameter('Return only the app with this exact name.', 'shop').optional(),
  }),
  reply: {
    status: 200,
    mediaType: 'application/json',
    schema: appCollectionSchema,
    description: 'A page of apps.',
    example: example.onlyPage('/v1/apps', 'apps', exampleApp),
  },
  errors: ['invalid_page_token'],
})

export const createApp = defineEndpoint({
  operationId: 'create_app',
  method: 'POST',
  path: '/v1/apps',
  tag: 'apps',
  permission: 'app:create',
  summary: 'Create an app',
  description:
    'Create an app with its repository and its environment `production`. Nothing runs until something is pushed.',
  idempotent: true,
  body: {
    mediaType: 'application/json',
    schema: appPrototypeSchema,
    description: 'The app to create.',
    example: { name: 'shop' },
  },
  reply: {
    status: 201,
    mediaType: 'application/json',
    schema: appSchema,
    description: 'The app was created.',
    example: exampleApp,
  },
  errors: ['name_invalid', 'name_taken'],
})

export const getApp = defineEndpoint({
  operationId: 'get_app',
  method: 'GET',
  path: '/v1/apps/{id}',
  tag: 'apps',
  permission: 'app:read',
  summary: 'Retrieve an app',
  description: 'Retrieve one app, by id or by name.',
  conditional: 'if_none_match',
  params,
  reply: {
    status: 200,
    mediaType: 'application/json',
    schema: appSchema,
    description: 'The app.',
    example: exampleApp,
  },
})

export const updateApp = defineEndpoint({
  operationId: 'update_app',
  method: 'PATCH',
  path: '/v1/apps/{id}',
  tag: 'apps',
  permission: 'app:update',
  summary: 'Update an app',
  description: 'Change the branch that deploys or the root folder. It takes effect with the next push.',
  conditional: 'if_match',
  params,
  body: {
    mediaType: 'application/merge-patch+json',
    schema: appPatchSchema,
    description: 'The fields to change.',
    example: { branch: 'trunk' },
  },
  reply: {
    status: 200,
    mediaType: 'application/json',
    schema: appSchema,
    description: 'The updated app.',
    example: { ...exampleApp, branch: 'trunk' },
  },
})

export const deleteApp = defineEndpoint({
  operationId: 'delete_app',
  method: 'DELETE',
  path: '/v1/apps/{id}',
  tag: 'apps',
  permission: 'app:delete',
  summary: 'Delete an app',
  description:
    'Delete an app with its repository, environments, releases and logs. It answers no more requests when the call returns; what it kept is removed soon after. There is no way back.',
  conditional: 'if_match',
  params,
  reply: { status: 204, description: 'The app was deleted.' },
})

export const appEndpoints = [listApps, createApp, getApp, updateApp, deleteApp] as const
