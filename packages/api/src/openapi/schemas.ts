import { z } from 'zod'
import type { Json, JsonObject } from './json.ts'

/**
 * zod schemas as JSON Schema 2020-12 within the keywords that IBM's rules allow. A schema whose meta has an `id` becomes
 * a component and is referred to; every other one stands where it is used.
 */
export class SchemaComponents {
  readonly #components = new Map<string, JsonObject>()

  /** The schema where it is used: a `$ref` when it has an id. */
  use(schema: z.ZodType): JsonObject {
    const wrapped = z.toJSONSchema(z.strictObject({ it: schema }), { io: 'output', reused: 'inline' })
    const clean = tidy(JSON.parse(JSON.stringify(wrapped))) as JsonObject
    for (const [id, component] of Object.entries((clean.$defs ?? {}) as JsonObject)) {
      this.#components.set(id, component as JsonObject)
    }
    return (clean.properties as JsonObject).it as JsonObject
  }

  /** All components used so far, by name. */
  sorted(): JsonObject {
    return Object.fromEntries([...this.#components].sort(([a], [b]) => (a < b ? -1 : 1)))
  }
}

/** Keywords that say nothing here, or that IBM's rules do not allow. */
const dropped = new Set(['$schema', 'id', 'propertyNames', 'title'])

function tidy(value: Json, insideProperties = false): Json {
  if (Array.isArray(value)) return value.map((item) => tidy(item))
  if (typeof value !== 'object' || value === null) return value
  const result: Record<string, Json> = {}
  for (const [key, inner] of Object.entries(value as JsonObject)) {
    if (insideProperties) result[key] = tidy(inner)
    else if (key === '$ref') result.$ref = String(inner).replace('#/$defs/', '#/components/schemas/')
    else if (key === 'examples' || key === 'enum' || key === 'default') result[key] = inner
    else if (!dropped.has(key)) result[key] = tidy(inner, key === 'properties' || key === '$defs')
  }
  return withNullType(result)
}

/** `anyOf: [X, null]` is written as X with the type `[…, 'null']`, which is what the rules accept in a merge patch. */
function withNullType(schema: Record<string, Json>): JsonObject {
  const options = schema.anyOf
  if (!Array.isArray(options) || options.length !== 2) return schema
  const [first, second] = options as [JsonObject, JsonObject]
  if (second.type !== 'null' || typeof first.type !== 'string') return schema
  const { anyOf: _anyOf, ...rest } = schema
  return { ...first, ...rest, type: [first.type, 'null'] }
}
