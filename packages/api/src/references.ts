import { z } from 'zod'
import * as example from './examples/values.ts'
import { href, identifier, text } from './fields.ts'

/** How resources point to each other: `id`, `name` where there is one, and `href`. Identities are what callers send. */

const named = (noun: string, id: string, sample: { id: string; name: string; href: string }, nameText: z.ZodString) =>
  z
    .strictObject({
      id: identifier(`The identifier of the ${noun}.`, sample.id),
      name: nameText,
      href: href(`The URL of the ${noun}.`, sample.href),
    })
    .meta({ id, description: `A reference to the ${noun}.`, examples: [sample] })

const plain = (noun: string, id: string, sample: { id: string; href: string }) =>
  z
    .strictObject({
      id: identifier(`The identifier of the ${noun}.`, sample.id),
      href: href(`The URL of the ${noun}.`, sample.href),
    })
    .meta({ id, description: `A reference to the ${noun}.`, examples: [sample] })

const identity = (description: string, id: string, idDescription: string, sample: string) =>
  z.strictObject({ id: identifier(idDescription, sample) }).meta({ id, description, examples: [{ id: sample }] })

const namePattern = /^[a-z]([-a-z0-9]*[a-z0-9])?$/

export const appReference = named(
  'app',
  'AppReference',
  example.appReference,
  text({ description: 'The name of the app.', pattern: namePattern, max: 39, example: 'shop' }),
)
export const environmentReference = named(
  'environment',
  'EnvironmentReference',
  example.environmentReference,
  text({ description: 'The name of the environment.', pattern: namePattern, max: 20, example: 'production' }),
)

export const releaseName = text({
  description: 'The name of the release: `v` and its version.',
  pattern: /^v[1-9][0-9]*$/,
  min: 2,
  max: 11,
  example: 'v5',
})
export const releaseReference = named('release', 'ReleaseReference', example.releaseReference, releaseName)
export const deployReference = plain('deploy', 'DeployReference', example.deployReference)
export const buildReference = plain('build', 'BuildReference', example.buildReference)
export const sourceReference = plain('source', 'SourceReference', example.sourceReference)

export const appIdentity = identity(
  'The app, by id or by name.',
  'AppIdentity',
  'The id or the name of the app.',
  'shop',
)
export const environmentIdentity = identity(
  'The environment, by id or by label.',
  'EnvironmentIdentity',
  'The id of the environment or its label: `shop` for production of `shop`, `staging--shop` for its staging.',
  'shop',
)
export const releaseIdentity = identity(
  'The release, by id or by name.',
  'ReleaseIdentity',
  'The id of the release, or its name in the environment.',
  'v4',
)
export const sourceIdentity = identity(
  'The uploaded source, by id.',
  'SourceIdentity',
  'The id of the source.',
  example.ids.source,
)

export const commitSha = text({
  description: 'The git commit, in full.',
  pattern: /^[0-9a-f]+$/,
  min: 40,
  max: 64,
  example: example.commitSha,
})

export const artifactDigest = text({
  description: 'The digest that names the artifact.',
  pattern: /^sha256:[0-9a-f]+$/,
  min: 71,
  max: 71,
  example: example.digest,
})

/** Who did it: the name of a person, and of the token when it is not the owner's. */
export const actor = text({
  description: 'Who did it: the name of the person.',
  pattern: /^[^\u0000]+$/,
  max: 255,
  example: 'owner',
})
