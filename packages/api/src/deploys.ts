import { z } from 'zod'
import { collectionOf } from './collections.ts'
import type { Immutable } from './endpoint.ts'
import * as example from './examples/values.ts'
import { entityTag, flag, href, identifier, identifierParameter, oneOf, prose, text, timestamp } from './fields.ts'
import { errorListOf } from './problems.ts'
import {
  actor,
  appReference,
  buildReference,
  commitSha,
  deployReference,
  environmentIdentity,
  environmentReference,
  releaseIdentity,
  releaseReference,
  sourceIdentity,
  sourceReference,
} from './references.ts'

export const deployKinds = ['push', 'upload', 'commit', 'config', 'rollback'] as const

export const deployStatuses = [
  'queued',
  'building',
  'waiting',
  'releasing',
  'rolling_out',
  'watching',
  'live',
  'failed',
  'cancelled',
  'superseded',
  'rolled_back',
] as const

const status = oneOf(
  'How far it has come. `live`, `failed`, `cancelled`, `superseded` and `rolled_back` are final.',
  deployStatuses,
  'live',
)
const keepConfig = "Whether a rollback keeps the environment's config instead of taking back that of the release."

export const deploySchema = z
  .strictObject({
    id: identifier('The identifier of the deploy.', example.ids.deploy),
    href: href('The URL of the deploy.', example.deployReference.href),
    app: appReference,
    environment: environmentReference,
    kind: oneOf('What began it.', deployKinds, 'push'),
    status,
    wait_reason: prose(
      'Why it waits. Absent unless it does.',
      'another deploy of this environment is releasing',
      1024,
    ).optional(),
    commit_sha: commitSha.optional(),
    source: sourceReference.optional(),
    build: buildReference.optional(),
    release: releaseReference.optional(),
    rollback_to: releaseReference.optional(),
    keep_config: flag(keepConfig, false),
    retry_of: deployReference.optional(),
    errors: errorListOf('Why it did not go live. Empty unless `status` is `failed`, `cancelled` or `superseded`.'),
    url: href('Where the app answers when it is live.', 'http://shop.localhost:8080'),
    created_by: actor,
    created_at: timestamp('When the deploy was asked for.'),
    updated_at: timestamp('When its status last changed.', example.at.finished),
    finished_at: timestamp('When it reached a final status. Absent before that.', example.at.finished).optional(),
    etag: entityTag,
  })
  .meta({
    id: 'Deploy',
    description:
      'The journey of a release. `commit_sha` and `build` are absent where nothing is built, `release` before there is one, `source` unless it was uploaded.',
  })

export type Deploy = Immutable<z.output<typeof deploySchema>>
export type DeployStatus = Deploy['status']
export type DeployKind = Deploy['kind']

export const deployPrototypeSchema = z
  .strictObject({
    environment: environmentIdentity,
    kind: oneOf(
      'What to deploy: an upload (`source`), a commit that was pushed (`commit_sha`), or an earlier release.',
      ['upload', 'commit', 'rollback'],
      'rollback',
    ),
    source: sourceIdentity.optional(),
    commit_sha: commitSha.optional(),
    rollback_to: releaseIdentity.optional(),
    keep_config: flag(keepConfig, false).optional(),
  })
  .superRefine((deploy, context) => {
    const belongsTo = {
      source: 'upload',
      commit_sha: 'commit',
      rollback_to: 'rollback',
      keep_config: 'rollback',
    } as const
    for (const field of ['source', 'commit_sha', 'rollback_to', 'keep_config'] as const) {
      if (deploy[field] === undefined || belongsTo[field] === deploy.kind) continue
      const message = `belongs to the kind \`${belongsTo[field]}\`, not to \`${deploy.kind}\``
      context.addIssue({ code: 'custom', path: [field], message })
    }
    const needed = deploy.kind === 'upload' ? 'source' : deploy.kind === 'commit' ? 'commit_sha' : undefined
    if (!needed || deploy[needed] !== undefined) return
    context.addIssue({ code: 'custom', path: [needed], message: 'is missing', params: { code: 'missing_field' } })
  })
  .meta({
    id: 'DeployPrototype',
    description: 'The deploy to begin. Without `rollback_to`, a rollback goes to the release before the live one.',
  })

export const deployCollectionSchema = collectionOf(
  { id: 'DeployCollection', key: 'deploys', nouns: 'deploys' },
  deploySchema,
)

export const deployEventSchema = z
  .strictObject({
    id: identifier('The identifier of the event.', '42'),
    at: timestamp('When it happened.', example.at.started),
    from_status: text({
      description: 'The status before. Absent for the first event.',
      pattern: /^[a-z_]+$/,
      max: 32,
      example: 'queued',
    }).optional(),
    to_status: oneOf('The status since.', deployStatuses, 'building'),
    message: prose('What happened, in words.', 'Building 7fd1a60'),
  })
  .meta({ id: 'DeployEvent', description: 'One step of a deploy.' })

export type DeployEvent = Immutable<z.output<typeof deployEventSchema>>

export const deployEventCollectionSchema = collectionOf(
  { id: 'DeployEventCollection', key: 'events', nouns: 'events' },
  deployEventSchema,
)

export const exampleDeploy = {
  ...example.deployReference,
  app: example.appReference,
  environment: example.environmentReference,
  kind: 'push',
  status: 'live',
  commit_sha: example.commitSha,
  build: example.buildReference,
  release: example.releaseReference,
  keep_config: false,
  errors: [],
  url: 'http://shop.localhost:8080',
  created_by: 'owner',
  created_at: example.at.created,
  updated_at: example.at.finished,
  finished_at: example.at.finished,
  etag: example.etag,
} satisfies Deploy

export const deployParams = z.strictObject({
  id: identifierParameter('The identifier of the deploy.', example.ids.deploy),
})
