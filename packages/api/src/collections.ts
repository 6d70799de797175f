import { z } from 'zod'
import { href, integer, integerParameter, listOf, text } from './fields.ts'

const pageUrl = href('The URL of the page.', 'https://gantry.example.com/v1/apps?limit=50')

export const pageFirst = z.strictObject({ href: pageUrl }).meta({
  id: 'PageFirst',
  description: 'The first page.',
  examples: [{ href: 'https://gantry.example.com/v1/apps?limit=50' }],
})

export const pageNext = z
  .strictObject({
    href: pageUrl,
    start: text({
      description: 'The value of the `start` parameter for the next page.',
      pattern: /^[A-Za-z0-9_-]+$/,
      max: 512,
      example: 'YXBwXzAxSjk',
    }),
  })
  .meta({
    id: 'PageNext',
    description: 'The next page. Absent on the last page.',
    examples: [{ href: 'https://gantry.example.com/v1/apps?limit=50&start=YXBwXzAxSjk', start: 'YXBwXzAxSjk' }],
  })

export interface CollectionWords<Key extends string> {
  /** Schema name in the document, such as `AppCollection`. */
  readonly id: string
  /** The array's field: the last noun of the path. */
  readonly key: Key
  /** In prose, plural: `apps`. */
  readonly nouns: string
  /** Largest page. */
  readonly max?: number
}

/** `{<nouns>: [], limit, first, next?}`: one page of a list. */
export function collectionOf<Key extends string, Item extends z.ZodType>(words: CollectionWords<Key>, item: Item) {
  const { id, key, nouns, max = 100 } = words
  const paging = {
    limit: integer({
      description: 'The page size in force, given or default.',
      min: 1,
      max,
      example: Math.min(50, max),
    }),
    first: pageFirst,
    next: pageNext.optional(),
  }
  const items = { [key]: listOf(`The ${nouns} of this page.`, item, max) } as { [K in Key]: z.ZodArray<Item> }
  return z.strictObject({ ...items, ...paging }).meta({ id, description: `A page of ${nouns}.` })
}

const start = z
  .string()
  .regex(/^[A-Za-z0-9_-]+$/)
  .min(1)
  .max(512)
  .meta({ description: 'The opaque page token taken from `next.start`.', examples: ['YXBwXzAxSjk'] })

/** The query of every list: `limit` (1-100, default 50) and `start`. */
export const pageParameters = {
  start: start.optional(),
  limit: integerParameter({
    description: 'The largest number of resources in one page.',
    min: 1,
    max: 100,
    example: 50,
  }).default(50),
}

/** The query of lists of lines: `limit` (1-1000, default 100). */
export const linePageParameters = {
  start: start.optional(),
  limit: integerParameter({
    description: 'The largest number of lines in one page.',
    min: 1,
    max: 1000,
    example: 100,
  }).default(100),
}

/** One page of a list, as programs see it. */
export interface Page {
  readonly limit: number
  readonly first: { readonly href: string }
  readonly next?: { readonly href: string; readonly start: string } | undefined
}
