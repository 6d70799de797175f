import { z } from 'zod'
import { collectionOf, linePageParameters } from './collections.ts'
import { defineEndpoint, type Immutable } from './endpoint.ts'
import { environmentParams } from './environments.ts'
import * as example from './examples/values.ts'
import { identifierParameter, integerParameter, oneOf, prose, text, timestamp } from './fields.ts'

const lineId = text({
  description: 'The id of the line: segment and byte offset. It grows within a log.',
  pattern: /^[0-9]+-[0-9]+$/,
  min: 3,
  max: 40,
  example: '00000001-4096',
})

const source = text({
  description:
    'What wrote the line: an instance with its release, such as `web.1.v5`; `build`, `deploy`, or `gantry` for Gantry itself.',
  pattern: /^[A-Za-z][A-Za-z0-9_.-]*$/,
  max: 80,
  example: 'web.1.v5',
})

export const logLineSchema = z
  .strictObject({
    id: lineId,
    at: timestamp('When the line was written.'),
    source,
    message: prose(
      'The line, without its end. At most 16 KiB; control characters are kept.',
      'listening on 20001',
      16_384,
    ),
  })
  .meta({ id: 'LogLine', description: 'One line of a log.' })

export type LogLine = Immutable<z.output<typeof logLineSchema>>

const exampleLine = {
  id: '00000001-4096',
  at: example.at.healthy,
  source: 'web.1.v5',
  message: 'listening on 20001',
} satisfies LogLine

export const logEventSchema = z
  .strictObject({
    id: lineId
      .meta({ description: 'The id of the line, to resume after it with `Last-Event-ID`. Only `log` events have one.' })
      .optional(),
    event: oneOf(
      'The kind of event: a line, a change of status, or the end of the stream.',
      ['log', 'status', 'end'],
      'log',
    ),
    data: text({
      description: 'A JSON object: a `LogLine` for `log`, `{"status"}` otherwise.',
      pattern: /^\{.*\}$/,
      min: 2,
      max: 131_072,
      example: JSON.stringify(exampleLine),
    }),
  })
  .meta({ id: 'LogEvent', description: 'One server-sent event of a log stream; the body is a sequence of these.' })

const statusData = z.strictObject({ status: z.string() })

/** A log stream's event as programs see it. `status` and `end` say how the build or deploy stands. */
export const decodedLogEventSchema = z.discriminatedUnion('event', [
  z.strictObject({ event: z.literal('log'), id: z.string(), data: logLineSchema }),
  z.strictObject({ event: z.literal('status'), id: z.string().optional(), data: statusData }),
  z.strictObject({ event: z.literal('end'), id: z.string().optional(), data: statusData }),
])

export type LogEvent = Immutable<z.output<typeof decodedLogEventSchema>>

const collections = {
  environment: collectionOf(
    { id: 'EnvironmentLogCollection', key: 'logs', nouns: 'log lines', max: 1000 },
    logLineSchema,
  ),
  build: collectionOf({ id: 'BuildLogCollection', key: 'logs', nouns: 'log lines', max: 1000 }, logLineSchema),
  deploy: collectionOf({ id: 'DeployLogCollection', key: 'logs', nouns: 'log lines', max: 1000 }, logLineSchema),
} as const

/** A page of lines, oldest first. */
export type LogPage = Immutable<z.output<(typeof collections)['environment']>>

const selection = {
  since: z.iso
    .datetime({ offset: true })
    .min(20)
    .max(40)
    .meta({ description: 'Return only lines written at or after this time.', examples: [example.at.created] })
    .optional(),
  source: text({
    description:
      'Return only lines of this source: an instance (`web.1`), or a process type (`web`) for all of its instances.',
    pattern: /^[A-Za-z][A-Za-z0-9_.-]*$/,
    max: 80,
    example: 'web',
  }).optional(),
  tail: integerParameter({
    description: 'Begin with the last so many lines instead of the first.',
    max: 10_000,
    example: 100,
  }).optional(),
}

const pageQuery = z.strictObject({ ...linePageParameters, ...selection })
const streamQuery = z.strictObject(selection)

const pageDescription =
  'Retrieve one page of lines, oldest first. What passed the size limit of the log is gone; a line of the source `gantry` says how much.'
const streamDescription =
  'Follow the log as server-sent events: `log` with one line each. A comment keeps an idle connection open every 15 seconds. Send the id of the last line as `Last-Event-ID` to go on after it.'

function pageReply<Schema extends z.ZodObject>(schema: Schema, path: string) {
  const page = example.onlyPage(path, 'logs', exampleLine, 100)
  return { status: 200, mediaType: 'application/json', schema, description: 'A page of lines.', example: page } as const
}

const streamReply = {
  status: 200,
  mediaType: 'text/event-stream',
  schema: logEventSchema,
  event: decodedLogEventSchema,
  description: 'The stream of events.',
  example: { id: exampleLine.id, event: 'log', data: JSON.stringify(exampleLine) },
} as const

const buildParams = z.strictObject({ id: identifierParameter('The identifier of the build.', example.ids.build) })
const deployParams = z.strictObject({ id: identifierParameter('The identifier of the deploy.', example.ids.deploy) })

export const listEnvironmentLogs = defineEndpoint({
  operationId: 'list_environment_logs',
  method: 'GET',
  path: '/v1/environments/{id}/logs',
  tag: 'logs',
  permission: 'log:read',
  summary: 'List the log lines of an environment',
  description: pageDescription,
  params: environmentParams,
  query: pageQuery,
  reply: pageReply(collections.environment, `/v1/environments/${example.ids.production}/logs`),
  errors: ['invalid_page_token'],
})

export const streamEnvironmentLog = defineEndpoint({
  operationId: 'stream_environment_log',
  method: 'GET',
  path: '/v1/environments/{id}/log_stream',
  tag: 'logs',
  permission: 'log:read',
  summary: 'Stream the log of an environment',
  description: `${streamDescription} The stream has no end of its own.`,
  params: environmentParams,
  query: streamQuery,
  reply: streamReply,
})

export const listBuildLogs = defineEndpoint({
  operationId: 'list_build_logs',
  method: 'GET',
  path: '/v1/builds/{id}/logs',
  tag: 'logs',
  permission: 'log:read',
  summary: 'List the log lines of a build',
  description: pageDescription,
  params: buildParams,
  query: pageQuery,
  reply: pageReply(collections.build, `/v1/builds/${example.ids.build}/logs`),
  errors: ['invalid_page_token'],
})

export const streamBuildLog = defineEndpoint({
  operationId: 'stream_build_log',
  method: 'GET',
  path: '/v1/builds/{id}/log_stream',
  tag: 'logs',
  permission: 'log:read',
  summary: 'Stream the log of a build',
  description: `${streamDescription} When the build has ended, \`end\` says how, and the stream closes.`,
  params: buildParams,
  query: streamQuery,
  reply: streamReply,
})

export const listDeployLogs = defineEndpoint({
  operationId: 'list_deploy_logs',
  method: 'GET',
  path: '/v1/deploys/{id}/logs',
  tag: 'logs',
  permission: 'log:read',
  summary: 'List the log lines of a deploy',
  description: pageDescription,
  params: deployParams,
  query: pageQuery,
  reply: pageReply(collections.deploy, `/v1/deploys/${example.ids.deploy}/logs`),
  errors: ['invalid_page_token'],
})

export const streamDeployLog = defineEndpoint({
  operationId: 'stream_deploy_log',
  method: 'GET',
  path: '/v1/deploys/{id}/log_stream',
  tag: 'logs',
  permission: 'log:read',
  summary: 'Stream the log of a deploy',
  description: `${streamDescription} \`status\` tells each change of the deploy; \`end\` its last one, and the stream closes.`,
  params: deployParams,
  query: streamQuery,
  reply: streamReply,
})

export const logEndpoints = [
  listEnvironmentLogs,
  streamEnvironmentLog,
  listBuildLogs,
  streamBuildLog,
  listDeployLogs,
  streamDeployLog,
] as const
