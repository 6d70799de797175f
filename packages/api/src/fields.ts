import { z } from 'zod'

/** The building blocks of resources: each has the limits and the example that the document must show. */

export interface TextLimits {
  readonly description: string
  readonly pattern: RegExp
  readonly min?: number
  readonly max: number
  readonly example: string
}

export function text({ description, pattern, min = 1, max, example }: TextLimits) {
  return z
    .string()
    .regex(pattern)
    .min(min)
    .max(max)
    .meta({ description, examples: [example] })
}

/** A sentence or two for people. */
export function prose(description: string, example: string, max = 16_384) {
  return text({ description, pattern: /^[^\u0000]*$/, min: 0, max, example })
}

export function identifier(description: string, example: string) {
  return z
    .string()
    .regex(/^[-0-9a-z]+$/)
    .min(1)
    .max(64)
    .meta({ description, format: 'identifier', examples: [example] })
}

export function href(description: string, example: string) {
  return z
    .string()
    .min(1)
    .max(8000)
    .meta({ description, format: 'url', examples: [example] })
}

/** RFC 3339, UTC, milliseconds. */
export function timestamp(description: string, example = '2026-08-22T09:30:00.000Z') {
  return z
    .string()
    .min(24)
    .max(24)
    .meta({ description, format: 'date-time', examples: [example] })
}

export interface IntegerLimits {
  readonly description: string
  readonly min?: number
  readonly max?: number
  readonly example: number
}

export function integer({ description, min = 0, max = 2_147_483_647, example }: IntegerLimits) {
  return z
    .int()
    .min(min)
    .max(max)
    .meta({ description, format: max > 2_147_483_647 ? 'int64' : 'int32', examples: [example] })
}

export function flag(description: string, example: boolean) {
  return z.boolean().meta({ description, examples: [example] })
}

export function oneOf<const Values extends readonly [string, ...string[]]>(
  description: string,
  values: Values,
  example: Values[number],
) {
  return z.enum(values).meta({ description, examples: [example] })
}

/** An array field. A field so shared that it has an id is referred to, not repeated. */
export function listOf<Item extends z.ZodType>(description: string, item: Item, max: number) {
  return z.array(item).min(0).max(max).meta({ description })
}

export const entityTag = z
  .string()
  .regex(/^"[0-9a-z]+"$/)
  .min(18)
  .max(66)
  .meta({ id: 'EntityTag', description: 'A quoted entity tag.', examples: ['"9k2m4x7q1w3e5r8t"'] })

/** An integer in a query, which arrives as text. */
export function integerParameter({ min = 0, max = 2_147_483_647, description, example }: IntegerLimits) {
  return z
    .string()
    .regex(/^(0|[1-9][0-9]{0,9})$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.int().min(min).max(max).meta({ format: 'int32' }))
    .meta({ description, examples: [example] })
}

/** A path or query parameter that takes an id, a name or an environment's label. */
export function identifierParameter(description: string, example: string) {
  return z
    .string()
    .regex(/^[-0-9a-z]+$/, 'must be an id or a name: lower-case letters, digits and hyphens')
    .min(1)
    .max(64)
    .meta({ description, format: 'identifier', examples: [example] })
}
