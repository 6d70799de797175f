import { z } from 'zod'
import { defineEndpoint, type Immutable } from './endpoint.ts'
import { environmentParams } from './environments.ts'
import * as example from './examples/values.ts'
import { entityTag, href, integer, oneOf, timestamp } from './fields.ts'
import {
  configNamePattern,
  isReservedConfigName,
  maxConfigNameLength,
  maxConfigValueLength,
  maxConfigVariables,
  withCode,
} from './names.ts'
import { deployReference, environmentReference } from './references.ts'

const value = z
  .string()
  .regex(/^[^\u0000]*$/, 'must not have a NUL character')
  .min(0)
  .max(maxConfigValueLength)
  .meta({ description: 'The value of the variable.', examples: ['info'] })

const variablesSchema = z.record(z.string(), value).meta({
  id: 'ConfigVariables',
  description: 'The variables, by name.',
  maxProperties: maxConfigVariables,
  examples: [{ LOG_LEVEL: 'info' }],
})

const variablesPatchSchema = z
  .record(z.string(), value.nullable())
  .superRefine((variables, context) => {
    if (Object.keys(variables).length > maxConfigVariables) {
      const message = `must have at most ${maxConfigVariables} variables`
      context.addIssue({ code: 'custom', message, params: withCode('config_too_large') })
    }
    for (const name of Object.keys(variables)) {
      const problem = configNameProblem(name)
      if (problem) context.addIssue({ code: 'custom', path: [name], ...problem })
    }
  })
  .meta({
    id: 'ConfigVariablesPatch',
    description: 'The variables to set, or to remove with `null`, by name. Names match `^[A-Za-z_][A-Za-z0-9_]*$`.',
    maxProperties: maxConfigVariables,
    examples: [{ LOG_LEVEL: 'debug', VERBOSE: null }],
  })

function configNameProblem(name: string) {
  if (!configNamePattern.test(name) || name.length > maxConfigNameLength) {
    const message = `is not a name for a variable: it must match ${configNamePattern.source} and have at most ${maxConfigNameLength} characters`
    return { message, params: withCode('config_name_invalid') }
  }
  if (!isReservedConfigName(name)) return undefined
  return { message: 'is set by Gantry itself and cannot be changed', params: withCode('config_name_reserved') }
}

export const configKinds = ['run', 'build'] as const

export const configSchema = z
  .strictObject({
    href: href('The URL of the config.', `${example.environmentReference.href}/config`),
    environment: environmentReference,
    kind: oneOf('`run`: what instances see. `build`: what builds see, and nothing else.', configKinds, 'run'),
    version: integer({ description: 'The number of changes so far; 0 when nothing was ever set.', example: 3 }),
    variables: variablesSchema,
    updated_at: timestamp('When it was last changed. Absent when nothing was ever set.').optional(),
    deploy: deployReference.optional(),
    etag: entityTag,
  })
  .meta({
    id: 'Config',
    description: 'The config of an environment. `deploy` is in the reply to a change that made one.',
  })

export type Config = Immutable<z.output<typeof configSchema>>

export const configPatchSchema = z
  .strictObject({ variables: variablesPatchSchema.optional() })
  .meta({ id: 'ConfigPatch', description: 'The variables to change.' })

const exampleConfig = {
  href: `${example.environmentReference.href}/config`,
  environment: example.environmentReference,
  kind: 'run',
  version: 3,
  variables: { LOG_LEVEL: 'info' },
  updated_at: example.at.created,
  etag: example.etag,
} satisfies Config

const exampleBuildConfig = {
  ...exampleConfig,
  href: `${example.environmentReference.href}/build_config`,
  kind: 'build',
  version: 1,
  variables: { SITE_TITLE: 'Shop' },
} satisfies Config

export const getEnvironmentConfig = defineEndpoint({
  operationId: 'get_environment_config',
  method: 'GET',
  path: '/v1/environments/{id}/config',
  tag: 'config',
  permission: 'config:read',
  summary: 'Retrieve the config of an environment',
  description: 'Retrieve the variables that instances see, with their values.',
  conditional: 'if_none_match',
  params: environmentParams,
  reply: {
    status: 200,
    mediaType: 'application/json',
    schema: configSchema,
    description: 'The config.',
    example: exampleConfig,
    cache: 'no-store',
  },
})

export const updateEnvironmentConfig = defineEndpoint({
  operationId: 'update_environment_config',
  method: 'PATCH',
  path: '/v1/environments/{id}/config',
  tag: 'config',
  permission: 'config:write',
  summary: 'Update the config of an environment',
  description:
    'Set and remove variables. When the environment has a release, a deploy of a new one begins, without a build, and `deploy` refers to it.',
  conditional: 'if_match',
  params: environmentParams,
  body: {
    mediaType: 'application/merge-patch+json',
    schema: configPatchSchema,
    description: 'The variables to change.',
    example: { variables: { LOG_LEVEL: 'debug', VERBOSE: null } },
  },
  reply: {
    status: 200,
    mediaType: 'application/json',
    schema: configSchema,
    description: 'The updated config.',
    example: { ...exampleConfig, version: 4, variables: { LOG_LEVEL: 'debug' }, deploy: example.deployReference },
    cache: 'no-store',
  },
  errors: ['config_name_invalid', 'config_name_reserved', 'config_too_large'],
})

export const getEnvironmentBuildConfig = defineEndpoint({
  operationId: 'get_environment_build_config',
  method: 'GET',
  path: '/v1/environments/{id}/build_config',
  tag: 'config',
  permission: 'config:read',
  summary: 'Retrieve the build config of an environment',
  description: 'Retrieve the variables that builds see, with their values.',
  conditional: 'if_none_match',
  params: environmentParams,
  reply: {
    status: 200,
    mediaType: 'application/json',
    schema: configSchema,
    description: 'The build config.',
    example: exampleBuildConfig,
    cache: 'no-store',
  },
})

export const updateEnvironmentBuildConfig = defineEndpoint({
  operationId: 'update_environment_build_config',
  method: 'PATCH',
  path: '/v1/environments/{id}/build_config',
  tag: 'config',
  permission: 'config:write',
  summary: 'Update the build config of an environment',
  description: 'Set and remove variables that builds see. It takes effect with the next build.',
  conditional: 'if_match',
  params: environmentParams,
  body: {
    mediaType: 'application/merge-patch+json',
    schema: configPatchSchema,
    description: 'The variables to change.',
    example: { variables: { SITE_TITLE: 'Shop' } },
  },
  reply: {
    status: 200,
    mediaType: 'application/json',
    schema: configSchema,
    description: 'The updated build config.',
    example: { ...exampleBuildConfig, version: 2 },
    cache: 'no-store',
  },
  errors: ['config_name_invalid', 'config_name_reserved', 'config_too_large'],
})

export const configEndpoints = [
  getEnvironmentConfig,
  updateEnvironmentConfig,
  getEnvironmentBuildConfig,
  updateEnvironmentBuildConfig,
] as const
