import type { z } from 'zod'
import type { Endpoint, JsonReply } from '../endpoint.ts'
import { errorsOf } from '../endpoints.ts'
import { type ErrorStatus, errorCatalogue } from '../errors.ts'
import { errorResponses } from './error-responses.ts'
import { replyHeaders } from './headers.ts'
import { type Json, type JsonObject, ref } from './json.ts'
import type { SchemaComponents } from './schemas.ts'

/** One operation of the document. Its path parameters stand on the path item. */
export function operationOf(endpoint: Endpoint, schemas: SchemaComponents): JsonObject {
  const parameters = [...queryParameters(endpoint, schemas), ...headersTaken(endpoint)]
  return {
    operationId: endpoint.operationId,
    summary: endpoint.summary,
    description: descriptionOf(endpoint),
    tags: [endpoint.tag],
    security: [{ bearer: [] }],
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(endpoint.body ? { requestBody: requestBodyOf(endpoint, schemas) } : {}),
    responses: { ...successOf(endpoint, schemas), ...errorsOfOperation(endpoint) },
  }
}

/** The parameters of a path, which all of its operations share. */
export function pathParameters(endpoint: Endpoint, schemas: SchemaComponents): JsonObject[] {
  return Object.entries(endpoint.params?.shape ?? {}).map(([name, schema]) => ({
    name,
    in: 'path',
    ...parameter(schema as z.ZodType, schemas),
    required: true,
  }))
}

function queryParameters(endpoint: Endpoint, schemas: SchemaComponents): JsonObject[] {
  const all = Object.entries(endpoint.query?.shape ?? {}).map(([name, field]) => {
    const schema = field as z.ZodType
    if (name === 'start') return { optional: true, json: ref('parameters', 'Start') }
    const optional = schema.safeParse(undefined).success
    const json = { name, in: 'query', ...parameter(schema, schemas), ...(optional ? {} : { required: true }) }
    return { optional, json }
  })
  return [...all.filter((each) => !each.optional), ...all.filter((each) => each.optional)].map((each) => each.json)
}

/** A parameter carries the description and the example that its schema has. */
export function parameter(
  schema: z.ZodType,
  schemas: SchemaComponents,
): { description: Json; schema: Json; example: Json } {
  const { description = '', examples = [], ...rest } = schemas.use(schema)
  return { description, schema: rest, example: (examples as readonly Json[])[0] ?? '' }
}

function headersTaken(endpoint: Endpoint): JsonObject[] {
  const names = []
  if (endpoint.conditional === 'if_match') names.push('IfMatch')
  if (endpoint.conditional === 'if_none_match') names.push('IfNoneMatch')
  if (endpoint.idempotent) names.push('IdempotencyKey')
  if ('mediaType' in endpoint.reply && endpoint.reply.mediaType === 'text/event-stream') names.push('LastEventId')
  return names.map((name) => ref('parameters', name))
}

function descriptionOf(endpoint: Endpoint): string {
  const parts = [endpoint.description, `Requires the permission \`${endpoint.permission}\`.`]
  const own = (endpoint.errors ?? []).map((code) => `${errorCatalogue[code].status} \`${code}\``).sort()
  if (own.length > 0) parts.push(`Errors of its own: ${own.join(', ')}.`)
  return parts.join('\n\n')
}

function requestBodyOf({ body }: Endpoint, schemas: SchemaComponents): JsonObject {
  if (!body) return {}
  if (!('schema' in body)) {
    const schema = {
      type: 'string',
      format: 'binary',
      description: body.description,
      minLength: 1,
      maxLength: body.maxBytes,
    }
    const example = 'server.js\u0000…'
    return {
      required: true,
      description: body.description,
      content: {
        [body.mediaType]: { schema, examples: { primary: { summary: 'The bytes of an archive', value: example } } },
      },
    }
  }
  const media = {
    schema: schemas.use(body.schema),
    examples: { primary: { summary: body.description, value: body.example as Json } },
  }
  return { required: true, description: body.description, content: { [body.mediaType]: media } }
}

function successOf({ reply, conditional }: Endpoint, schemas: SchemaComponents): JsonObject {
  if (reply.status === 204) return { '204': { description: reply.description, headers: replyHeaders() } }
  const media = {
    schema: schemas.use(reply.schema),
    examples: { primary: { summary: reply.description, value: reply.example as Json } },
  }
  const headers = reply.mediaType === 'application/json' ? headersOf(reply) : []
  const success = {
    description: reply.description,
    headers: replyHeaders(...headers),
    content: { [reply.mediaType]: media },
  }
  const notModified = {
    description: 'The cached copy is still current. The response has no body.',
    headers: replyHeaders('ETag'),
  }
  return { [reply.status]: success, ...(conditional === 'if_none_match' ? { '304': notModified } : {}) }
}

function headersOf(reply: JsonReply): string[] {
  const single = 'etag' in reply.schema.shape
  return [
    ...(reply.status === 201 ? ['Location', 'Content-Location'] : []),
    ...(reply.status === 202 ? ['Location', 'Retry-After'] : []),
    ...(single ? ['ETag'] : []),
    ...(reply.cache ? ['Cache-Control'] : []),
  ]
}

function errorsOfOperation(endpoint: Endpoint): JsonObject {
  const statuses = new Set(errorsOf(endpoint).map((code) => errorCatalogue[code].status))
  const known = Object.keys(errorResponses).map(Number) as Exclude<ErrorStatus, 405>[]
  return Object.fromEntries(
    known
      .filter((status) => statuses.has(status))
      .map((status) => [status, ref('responses', errorResponses[status].name)]),
  )
}
