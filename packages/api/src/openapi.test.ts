import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Ajv2020 } from 'ajv/dist/2020.js'
import {
  buildOpenapi,
  endpoints,
  errorCatalogue,
  errorCodes,
  errorsOf,
  openapiText,
  permissions,
  tags,
} from './index.ts'

interface Operation {
  readonly operationId: string
  readonly responses: Readonly<Record<string, object>>
  readonly parameters?: readonly { readonly name?: string; readonly $ref?: string }[]
}
// biome-ignore lint/suspicious/noExplicitAny: the document is read as plain data
const document: any = buildOpenapi()
const operationOf = (path: string, method: string): Operation => document.paths[path]?.[method.toLowerCase()]

test('the document is the same every time, and plain data', () => {
  assert.equal(openapiText(), openapiText())
  assert.deepEqual(JSON.parse(openapiText()), document)
})

test('every endpoint is in the document once, with its errors', () => {
  for (const endpoint of endpoints) {
    const operation = operationOf(endpoint.path, endpoint.method)
    assert.equal(operation.operationId, endpoint.operationId)
    const statuses = [endpoint.reply.status, ...errorsOf(endpoint).map((code) => errorCatalogue[code].status)]
    if (endpoint.conditional === 'if_none_match') statuses.push(304 as never)
    assert.deepEqual(
      Object.keys(operation.responses).map(Number),
      [...new Set(statuses)].sort((a, b) => a - b),
    )
  }
  const operations = Object.values(document.paths).flatMap((item) => Object.keys(item as object))
  assert.equal(operations.filter((key) => key !== 'parameters').length, endpoints.length)
  assert.equal(new Set(endpoints.map((endpoint) => endpoint.operationId)).size, endpoints.length)
})

test('every path parameter is declared, and no other', () => {
  for (const { path, params, operationId } of endpoints) {
    const inPath = [...path.matchAll(/\{([a-z_]+)\}/g)].map((match) => match[1])
    assert.deepEqual(Object.keys(params?.shape ?? {}), inPath, operationId)
  }
})

test('every query parameter is in the document', () => {
  for (const { path, method, query, operationId } of endpoints) {
    const named = (operationOf(path, method).parameters ?? []).map(
      (parameter) => parameter.name ?? document.components.parameters[String(parameter.$ref?.split('/').at(-1))].name,
    )
    for (const name of Object.keys(query?.shape ?? {})) assert.ok(named.includes(name), `${operationId} ${name}`)
  }
})

test('every reply example is a valid reply, and every body example a valid body', () => {
  const ajv = new Ajv2020({ strict: false, validateFormats: false })
  const text = JSON.stringify(document.components.schemas).replaceAll('#/components/schemas/', '#/$defs/')
  ajv.addSchema({ $defs: JSON.parse(text) }, 'document')
  for (const endpoint of endpoints) {
    const { reply, body, operationId } = endpoint
    if ('example' in reply) {
      const media =
        document.paths[endpoint.path][endpoint.method.toLowerCase()].responses[reply.status].content[reply.mediaType]
      const name = media.schema.$ref.split('/').at(-1)
      assert.ok(ajv.validate({ $ref: `document#/$defs/${name}` }, reply.example), `${operationId}: ${ajv.errorsText()}`)
      assert.ok(reply.schema.safeParse(reply.example).success, operationId)
    }
    if (body && 'schema' in body) assert.ok(body.schema.safeParse(body.example).success, operationId)
  }
})

test('requires exactly what the schema requires: nothing optional is null in a reply', () => {
  for (const [name, schema] of Object.entries(document.components.schemas)) {
    if (name.endsWith('Patch')) continue
    assert.ok(!JSON.stringify(schema).includes('"null"'), `${name} allows null`)
  }
})

test('every tag and every permission that is named exists; every permission but those of git is required somewhere', () => {
  const used = new Set(endpoints.map((endpoint) => endpoint.permission))
  for (const { tag } of endpoints) assert.ok(tag in tags)
  const unused = permissions.filter((permission) => !used.has(permission))
  assert.deepEqual(unused, ['repository:read', 'repository:write'])
})

test('the error body names every code', () => {
  assert.deepEqual(document.components.schemas.Error.properties.code.enum, errorCodes)
})
