/** Plain data, as it stands in the document. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject
export interface JsonObject {
  readonly [key: string]: Json
}

export function ref(section: 'schemas' | 'parameters' | 'headers' | 'responses', name: string): JsonObject {
  return { $ref: `#/components/${section}/${name}` }
}
