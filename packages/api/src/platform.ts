import { z } from 'zod'
import { defineEndpoint, type Immutable } from './endpoint.ts'
import { baseUrl } from './examples/values.ts'
import { href, integer, listOf, oneOf, prose, text, timestamp } from './fields.ts'

export const checkStatuses = ['ok', 'warning', 'failed'] as const

export const platformCheckSchema = z
  .strictObject({
    name: text({ description: 'What is checked.', pattern: /^[a-z][a-z0-9_]*$/, max: 63, example: 'database' }),
    status: oneOf('The outcome.', checkStatuses, 'ok'),
    message: prose('What was found, and what to do about it.', 'PostgreSQL 17.6 answers in 1 ms', 4096),
  })
  .meta({ id: 'PlatformCheck', description: "One check of the platform's health." })

const sentence = text({
  description: 'A sentence.',
  pattern: /^[^\u0000]+$/,
  max: 4096,
  example: 'Install bubblewrap to give every app its own view of the machine.',
})

export const masterKeyStatuses = ['settled', 'rotating'] as const

const masterKeySchema = z
  .strictObject({
    id: text({
      description: 'Names the key that encrypts what is written now. It reveals nothing of the key.',
      pattern: /^[0-9a-f]{16}$/,
      min: 16,
      max: 16,
      example: '9c1f6b2e40d7a853',
    }),
    status: oneOf('`rotating` while the key before it is still needed.', masterKeyStatuses, 'settled'),
    created_at: timestamp('When the key was first used.'),
    values_left: integer({
      description: 'How many values of config are still encrypted with the key before it.',
      max: 2_147_483_647,
      example: 0,
    }),
  })
  .meta({ id: 'MasterKey', description: 'The key that encrypts config at rest.' })

export const platformSchema = z
  .strictObject({
    href: href('The URL of the platform.', `${baseUrl}/v1/platform`),
    version: text({
      description: 'The version of Gantry.',
      pattern: /^[0-9][0-9A-Za-z.+-]*$/,
      max: 64,
      example: '0.1.0',
    }),
    status: oneOf('`degraded` when a check failed.', ['ok', 'degraded'], 'ok'),
    engine: oneOf('Where apps run.', ['local', 'docker', 'kubernetes', 'fake'], 'local'),
    isolation_level: integer({ description: 'How far apps are kept apart, from 0 to 4.', max: 4, example: 3 }),
    isolation: prose('What keeps apps apart, in words.', 'one user per app, namespaces', 1024),
    missing: listOf('What stands between this machine and the next level of isolation.', sentence, 20),
    checks: listOf('The checks of its health.', platformCheckSchema, 50),
    domain: text({
      description: 'The domain below which apps answer.',
      pattern: /^[A-Za-z0-9.-]+$/,
      max: 253,
      example: 'localhost',
    }),
    http_port: integer({ description: 'The port on which apps answer.', min: 1, max: 65_535, example: 8080 }),
    master_key: masterKeySchema,
    started_at: timestamp('When the control plane started.'),
  })
  .meta({ id: 'Platform', description: 'This installation of Gantry.' })

export type Platform = Immutable<z.output<typeof platformSchema>>
export type PlatformCheck = Immutable<z.output<typeof platformCheckSchema>>

const examplePlatform = {
  href: `${baseUrl}/v1/platform`,
  version: '0.1.0',
  status: 'ok',
  engine: 'local',
  isolation_level: 3,
  isolation: 'one user per app, namespaces',
  missing: ['cgroups are read-only here, so memory limits are not enforced per app.'],
  checks: [{ name: 'database', status: 'ok', message: 'PostgreSQL 17.6 answers in 1 ms' }],
  domain: 'localhost',
  http_port: 8080,
  master_key: { id: '9c1f6b2e40d7a853', status: 'settled', created_at: '2026-08-22T09:00:00.000Z', values_left: 0 },
  started_at: '2026-08-22T09:00:00.000Z',
} satisfies Platform

export const getPlatform = defineEndpoint({
  operationId: 'get_platform',
  method: 'GET',
  path: '/v1/platform',
  tag: 'platform',
  permission: 'platform:read',
  summary: 'Retrieve the platform',
  description: 'Retrieve version, engine, isolation level and health of this installation.',
  reply: {
    status: 200,
    mediaType: 'application/json',
    schema: platformSchema,
    description: 'The platform.',
    example: examplePlatform,
  },
})

export const rotatePlatformKey = defineEndpoint({
  operationId: 'rotate_platform_key',
  method: 'POST',
  path: '/v1/platform/rotate_key',
  tag: 'platform',
  permission: 'key:rotate',
  summary: 'Rotate the master key',
  description:
    'Begin to replace the key that encrypts config at rest, or join the rotation that goes on. Poll `Location` until `master_key.status` is `settled`: then nothing needs the key before, and its file is gone. Apps keep serving, and make no release.',
  idempotent: true,
  reply: {
    status: 202,
    mediaType: 'application/json',
    schema: platformSchema,
    description: 'The rotation was accepted.',
    example: {
      ...examplePlatform,
      master_key: { ...examplePlatform.master_key, status: 'rotating', values_left: 120 },
    },
  },
})

export const platformEndpoints = [getPlatform, rotatePlatformKey] as const
