import { appendFileSync } from 'node:fs'
import { buildOpenapi, EventStreamParser, type JsonObject } from '@gantry/api'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import ajvFormats from 'ajv-formats'

/**
 * Holds every reply of the API to the document: status, media type, headers and body. It also remembers which pairs of
 * operation and status it has seen, so that a run can tell what no test has produced.
 */
export interface ResponseValidator {
  /** Throws an error that lists all that is wrong with the reply. */
  check(reply: ReplySeen): void
  /** Pairs such as `get_app 200` that no reply had so far. */
  unseen(): readonly string[]
  /** Prints the pairs unseen, for the end of a run. */
  printUnseen(print?: (line: string) => void): void
}

export interface ReplySeen {
  readonly method: string
  /** Path or URL, as requested. */
  readonly path: string
  readonly status: number
  readonly headers: Headers | Readonly<Record<string, string | number | readonly string[] | undefined>>
  /** The body as text or bytes; empty or absent when there is none. A stream may be cut off anywhere. */
  readonly body?: string | Uint8Array | undefined
}

export interface ValidatorOptions {
  readonly document?: JsonObject
  /** A file to which each pair seen is appended as a line, so that several processes can be summed up. */
  readonly recordTo?: string | undefined
}

/** Headers of HTTP itself and of every web server's defence, which the document does not list. */
const generalHeaders = new Set([
  'allow',
  'cache-control',
  'connection',
  'content-encoding',
  'content-length',
  'content-security-policy',
  'content-type',
  'cross-origin-opener-policy',
  'cross-origin-resource-policy',
  'date',
  'keep-alive',
  'link',
  'referrer-policy',
  'server',
  'strict-transport-security',
  'transfer-encoding',
  'vary',
  'x-accel-buffering',
  'x-content-type-options',
  'x-frame-options',
])

/** What may be answered where the document has no operation: unknown paths and methods, and what is checked before. */
const withoutOperation = new Set([400, 401, 404, 405, 414, 429, 431, 500, 503])

export function createResponseValidator({
  document = buildOpenapi(),
  recordTo,
}: ValidatorOptions = {}): ResponseValidator {
  const validate = bodyValidators(document)
  const pairs = documentedPairs(document)
  const seen = new Set<string>()
  return {
    check(reply) {
      const problems: string[] = []
      const headers = plainHeaders(reply.headers)
      const operation = operationFor(document, reply.method, reply.path)
      if (operation) {
        checkDocumented({ document, operation, reply, headers, validate, problems })
        const pair = `${operation.operationId} ${reply.status}`
        if (!seen.has(pair) && recordTo) appendFileSync(recordTo, `${pair}\n`)
        seen.add(pair)
      } else {
        checkWithoutOperation({ reply, headers, validate, problems })
      }
      if (problems.length === 0) return
      throw new Error(
        `${reply.method} ${reply.path} → ${reply.status} is not as documented:\n- ${problems.join('\n- ')}`,
      )
    },
    unseen: () => pairs.filter((pair) => !seen.has(pair)),
    printUnseen(print = console.log) {
      const left = pairs.filter((pair) => !seen.has(pair))
      print(`${pairs.length - left.length} of ${pairs.length} pairs of operation and status seen; not seen:`)
      for (const pair of left) print(`  ${pair}`)
    },
  }
}

/** All pairs of operation and status in the document. */
export function documentedPairs(document: JsonObject): readonly string[] {
  return operationsIn(document).flatMap(({ operationId, responses }) =>
    Object.keys(responses).map((status) => `${operationId} ${status}`),
  )
}

interface Operation {
  readonly operationId: string
  readonly method: string
  readonly matches: RegExp
  readonly responses: JsonObject
}

function operationsIn(document: JsonObject): Operation[] {
  const methods = ['get', 'post', 'patch', 'put', 'delete']
  return Object.entries(object(document.paths)).flatMap(([template, item]) =>
    Object.entries(object(item))
      .filter(([method]) => methods.includes(method))
      .map(([method, operation]) => ({
        operationId: String(object(operation).operationId),
        method: method.toUpperCase(),
        matches: new RegExp(`^${template.replaceAll('.', '\\.').replaceAll(/\{[a-z_]+\}/g, '[^/]+')}$`),
        responses: object(object(operation).responses),
      })),
  )
}

function operationFor(document: JsonObject, method: string, path: string): Operation | undefined {
  const { pathname } = new URL(path, 'http://gantry.invalid')
  const wanted = method.toUpperCase() === 'HEAD' ? 'GET' : method.toUpperCase()
  return operationsIn(document).find((operation) => operation.method === wanted && operation.matches.test(pathname))
}

type Validate = (schema: JsonObject, value: unknown, what: string) => string[]

function bodyValidators(document: JsonObject): Validate {
  const ajv = new Ajv2020({ allErrors: true, strict: true, allowUnionTypes: true, verbose: true })
  ajvFormats.default(ajv, ['date-time', 'int32', 'int64', 'binary'])
  ajv.addFormat('identifier', /^[-0-9a-z]+$/)
  ajv.addFormat('url', { type: 'string', validate: (text: string) => URL.canParse(text) })
  const inSchema = (json: JsonObject, to: string): JsonObject =>
    JSON.parse(JSON.stringify(json).replaceAll('"$ref":"#/components/schemas/', `"$ref":"${to}#/$defs/`))
  ajv.addSchema({ $defs: inSchema(object(object(document.components).schemas), '') }, 'document')
  const compiled = new Map<string, ValidateFunction>()
  return (schema, value, what) => {
    const key = JSON.stringify(schema)
    const run = compiled.get(key) ?? ajv.compile(inSchema(schema, 'document'))
    compiled.set(key, run)
    if (run(value)) return []
    return (run.errors ?? []).map(
      (error) =>
        `${what}${error.instancePath} ${error.message} ${JSON.stringify(error.params)}: ${excerpt(error.data)}`,
    )
  }
}

interface Checking {
  readonly document: JsonObject
  readonly operation: Operation
  readonly reply: ReplySeen
  readonly headers: ReadonlyMap<string, string>
  readonly validate: Validate
  readonly problems: string[]
}

function checkDocumented(checking: Checking): void {
  const { document, operation, reply, problems } = checking
  const found = operation.responses[String(reply.status)]
  if (!found) {
    problems.push(`the status is not documented for ${operation.operationId}: ${text(reply.body).slice(0, 500)}`)
    return
  }
  const response = follow(document, object(found))
  checkHeaders(checking, response)
  checkBody(checking, response)
}

function checkHeaders({ document, headers, validate, problems }: Checking, response: JsonObject): void {
  const documented = new Map(
    Object.entries(object(response.headers ?? {})).map(([name, header]) => [
      name.toLowerCase(),
      follow(document, object(header)),
    ]),
  )
  for (const [name, header] of documented) {
    const value = headers.get(name)
    const schema = object(header.schema ?? {})
    if (value === undefined) {
      if (header.required) problems.push(`the header ${name} is missing`)
    } else problems.push(...validate(schema, schema.type === 'integer' ? Number(value) : value, `header ${name}`))
  }
  for (const name of headers.keys()) {
    if (!documented.has(name) && !generalHeaders.has(name)) problems.push(`the header ${name} is not documented`)
  }
}

function checkBody({ reply, headers, validate, problems }: Checking, response: JsonObject): void {
  const body = text(reply.body)
  const content = object(response.content ?? {})
  if (reply.method.toUpperCase() === 'HEAD') return
  if (Object.keys(content).length === 0) {
    if (body !== '') problems.push(`there is a body where none is documented: ${body.slice(0, 200)}`)
    return
  }
  const mediaType = (headers.get('content-type') ?? '').split(';')[0]?.trim() ?? ''
  const media = content[mediaType]
  if (!media) {
    problems.push(`the media type ${mediaType || '(none)'} is not documented`)
    return
  }
  const schema = object(object(media).schema)
  if (mediaType === 'text/event-stream') problems.push(...eventProblems(body, schema, validate))
  else problems.push(...jsonProblems(body, (value) => validate(schema, value, 'body')))
}

/** Every event of a stream, which may have been cut off by the reader; the line in a `log` event too. */
function eventProblems(body: string, schema: JsonObject, validate: Validate): string[] {
  return new EventStreamParser().push(body).flatMap((reading) => {
    if (reading.kind !== 'event') return []
    const problems = validate(schema, reading.event, 'event')
    if (reading.event.event !== 'log') return problems
    const line = { $ref: '#/components/schemas/LogLine' }
    return [...problems, ...jsonProblems(reading.event.data, (value) => validate(line, value, 'line'))]
  })
}

function jsonProblems(body: string, check: (value: unknown) => string[]): string[] {
  try {
    return check(JSON.parse(body))
  } catch (error) {
    if (error instanceof SyntaxError) return [`the body is not JSON: ${body.slice(0, 200)}`]
    throw error
  }
}

function checkWithoutOperation({ reply, headers, validate, problems }: Omit<Checking, 'document' | 'operation'>): void {
  if (reply.status === 301 || reply.status === 308) return
  if (!withoutOperation.has(reply.status)) {
    problems.push('the document has no such path or method')
    return
  }
  if (reply.status === 405 && !headers.get('allow')) problems.push('the header allow is missing')
  if (!headers.get('x-request-id')) problems.push('the header x-request-id is missing')
  if (reply.method.toUpperCase() === 'HEAD') return
  const container = { $ref: '#/components/schemas/ErrorContainer' }
  problems.push(...jsonProblems(text(reply.body), (value) => validate(container, value, 'body')))
}

function follow(document: JsonObject, value: JsonObject): JsonObject {
  if (typeof value.$ref !== 'string') return value
  return value.$ref
    .slice(2)
    .split('/')
    .reduce((at, key) => object(at[key]), document)
}

function object(value: unknown): JsonObject {
  if (typeof value !== 'object' || value === null) throw new TypeError(`not an object: ${excerpt(value)}`)
  return value as JsonObject
}

function plainHeaders(headers: ReplySeen['headers']): ReadonlyMap<string, string> {
  const entries = headers instanceof Headers ? [...headers] : Object.entries(headers)
  const given = entries.filter(([, value]) => value !== undefined)
  return new Map(given.map(([name, value]) => [name.toLowerCase(), String(value)]))
}

function text(body: string | Uint8Array | undefined): string {
  return typeof body === 'string' ? body : new TextDecoder().decode(body ?? new Uint8Array())
}

function excerpt(value: unknown): string {
  return JSON.stringify(value)?.slice(0, 200) ?? 'undefined'
}
