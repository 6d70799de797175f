import { type Endpoint, endpoints, type JsonObject } from '@gantry/api'
import { z } from 'zod'
import { percentEncoded, type RawRequest } from './exchange.ts'

/** A place of the contract where a caller writes something, and the request that has `text` there. */
export interface Place {
  /** Such as `create_deploy body environment.id`. */
  readonly name: string
  request(text: string): RawRequest
}

/** What makes a request right but for the one thing that is hostile in it. */
export interface Filling {
  readonly token: string
  readonly host: string
  /** The resource that a request of the endpoint is about. */
  idFor(endpoint: Endpoint): string
  /** The endpoint's body, right in form; a new one each time. */
  bodyFor(endpoint: Endpoint): JsonObject
}

/** Every path parameter, query parameter, header and body field of every endpoint. */
export function contractPlaces(filling: Filling): readonly Place[] {
  return endpoints.flatMap((endpoint) => [
    ...pathPlaces(endpoint, filling),
    ...queryPlaces(endpoint, filling),
    ...headerPlaces(endpoint, filling),
    ...bodyPlaces(endpoint, filling),
  ])
}

interface Changes {
  readonly id?: string
  readonly query?: string
  readonly header?: readonly [string, string]
  readonly body?: string
}

function requestOf(endpoint: Endpoint, filling: Filling, changes: Changes = {}): RawRequest {
  const body = endpoint.body && 'schema' in endpoint.body ? JSON.stringify(filling.bodyFor(endpoint)) : ''
  const headers = [
    ['Host', filling.host],
    ['Authorization', `Bearer ${filling.token}`],
    ...(endpoint.body ? [['Content-Type', endpoint.body.mediaType]] : []),
  ] as [string, string][]
  const { header } = changes
  const kept = header ? headers.filter(([name]) => name !== header[0]) : headers
  const path = endpoint.path.replace('{id}', changes.id ?? filling.idFor(endpoint))
  const needed = endpoint.body && 'maxBytes' in endpoint.body ? '?app_id=nothing-here' : ''
  return {
    method: endpoint.method,
    target: path + (changes.query ?? needed),
    headers: header ? [...kept, header] : kept,
    body: changes.body ?? body,
  }
}

function pathPlaces(endpoint: Endpoint, filling: Filling): Place[] {
  if (!endpoint.params) return []
  return [
    {
      name: `${endpoint.operationId} path id`,
      request: (text) => requestOf(endpoint, filling, { id: percentEncoded(text) }),
    },
    {
      name: `${endpoint.operationId} path id as it is`,
      request: (text) => requestOf(endpoint, filling, { id: text.replaceAll(/[?#]/g, '') }),
    },
  ]
}

function queryPlaces(endpoint: Endpoint, filling: Filling): Place[] {
  const names = Object.keys(endpoint.query?.shape ?? {})
  const place = (name: string, query: (text: string) => string): Place => ({
    name: `${endpoint.operationId} query ${name}`,
    request: (text) => requestOf(endpoint, filling, { query: query(text) }),
  })
  return [
    ...names.map((name) => place(name, (text) => `?${name}=${percentEncoded(text)}`)),
    place('of any name', (text) => `?${percentEncoded(text)}=1`),
  ]
}

/** Those that any endpoint reads: a few have all of them, the others three each. Wrong tokens are counted by address. */
const readHeaders = [
  'Accept',
  'Idempotency-Key',
  'If-Match',
  'If-None-Match',
  'Last-Event-ID',
  'X-Request-ID',
  'X-Forwarded-Host',
  'Content-Type',
  'Content-Encoding',
  'Host',
]
const withToken = ['list_apps', 'create_app']

function headerPlaces(endpoint: Endpoint, filling: Filling): Place[] {
  const first = endpoints.indexOf(endpoint)
  const some = [0, 1, 2].map((nth) => readHeaders[(first * 3 + nth) % readHeaders.length] ?? 'Accept')
  const names = withToken.includes(endpoint.operationId) ? [...readHeaders, 'Authorization'] : some
  return names.map((name) => ({
    name: `${endpoint.operationId} header ${name}`,
    request: (text) => requestOf(endpoint, filling, { header: [name, text] }),
  }))
}

type Path = readonly string[]

/** A number stands there as one: no JavaScript value is `1e400`. */
function jsonOf(text: string): string {
  return /^-?[1-9][0-9]*(?:e[0-9]+)?$/.test(text) ? text : JSON.stringify(text)
}

function bodyPlaces(endpoint: Endpoint, filling: Filling): Place[] {
  if (!endpoint.body || !('schema' in endpoint.body)) return []
  const schema = z.toJSONSchema(endpoint.body.schema, { io: 'input', reused: 'inline', unrepresentable: 'any' })
  const place = (path: Path, raw: (text: string) => string): Place => ({
    name: `${endpoint.operationId} body ${path.join('.')}`,
    request: (text) => requestOf(endpoint, filling, { body: withRaw(filling.bodyFor(endpoint), path, raw(text)) }),
  })
  return [...fieldsOf(schema as JsonObject).map((path) => place(path, jsonOf)), place(['{key}'], jsonOf)].map(
    (one) => ({ ...one, request: (text) => keyed(one.request(text), text) }),
  )
}

/** Every field that the schema knows, at any depth; `{key}` is a name of the caller's own. */
function fieldsOf(schema: JsonObject, path: Path = []): Path[] {
  const properties = Object.entries((schema.properties ?? {}) as Record<string, JsonObject>)
  const inner = properties.flatMap(([name, property]) => fieldsOf(property, [...path, name]))
  const { additionalProperties, items } = schema
  const isRecord = typeof additionalProperties === 'object' && additionalProperties !== null
  const own = isRecord
    ? [
        [...path, 'VALUE'],
        [...path, '{key}'],
      ]
    : []
  const item = items ? [[...path, '0']] : []
  return [...(path.length > 0 ? [path] : []), ...inner, ...own, ...item]
}

const mark = '"injection-goes-here"'

/** The body as JSON text in which this text stands at that path: JSON that no JavaScript value could make, too. */
function withRaw(body: JsonObject, path: Path, raw: string): string {
  let at: Record<string, unknown> = body
  for (const [index, name] of path.slice(0, -1).entries()) {
    const isList = path[index + 1] === '0'
    const below = at[name]
    at[name] = typeof below === 'object' && below !== null ? structuredClone(below) : isList ? [] : {}
    at = at[name] as Record<string, unknown>
  }
  at[path.at(-1) ?? ''] = JSON.parse(mark)
  return JSON.stringify(body).replace(mark, () => raw)
}

function keyed(request: RawRequest, text: string): RawRequest {
  return { ...request, body: String(request.body).replace('"{key}"', () => JSON.stringify(text)) }
}

/** Bodies that are hostile as a whole: JSON too deep, too big, twice, or none. */
export function hostileBodies(): readonly string[] {
  const deep = (open: string, close: string, depth: number) => open.repeat(depth) + close.repeat(depth)
  return [
    deep('[', ']', 33),
    deep('[', ']', 100_000),
    `${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`,
    '{"name":"a","name":"b"}',
    '{"__proto__":{"role":"owner"}}',
    '{"constructor":{"prototype":{"role":"owner"}}}',
    '{"name":1e400}',
    '{"name":123456789012345678901234567890}',
    `{"name":${'9'.repeat(100_000)}}`,
    '{"name":"\\ud800"}',
    '{"name":"\\u0000"}',
    '{"name":"\u0001"}',
    '{"toString":1,"valueOf":2,"hasOwnProperty":3}',
    'null',
    '[]',
    '"x"',
    '1',
    'NaN',
    '{',
    '\ufeff{}',
    '',
    `{"name":"${'x'.repeat(1_000_000)}"}`,
    `{${Array.from({ length: 20_000 }, (_, index) => `"k${index}":1`).join(',')}}`,
  ]
}
