import { createHash } from 'node:crypto'
import { UserError } from './errors.ts'

/**
 * The strong entity tag of a resource as it goes over the wire: a quoted hash of its content in lower-case base36. Left
 * out are `etag` itself and what depends on the host name the caller used (`href`, `git_url`).
 */
export function etagOf(resource: object): string {
  const text = JSON.stringify(resource, (key, value: unknown) => (isLeftOut(key) ? undefined : value))
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 32)
  return `"${BigInt(`0x${hash}`).toString(36).padStart(25, '0')}"`
}

function isLeftOut(key: string): boolean {
  return key === 'etag' || key === 'href' || key === 'git_url'
}

/** The resource with its `etag`. */
export function withEtag<T extends object>(resource: T): T & { readonly etag: string } {
  return { ...resource, etag: etagOf(resource) }
}

/**
 * Throws `etag_mismatch` unless the header `If-Match` is absent, `*`, or lists `etag`. Call it in the transaction that
 * changes the resource, with the row locked.
 */
export function requireMatch(ifMatch: string | undefined, etag: string): void {
  if (ifMatch === undefined || matchesEtag(ifMatch, etag)) return
  throw new UserError('etag_mismatch', 'The resource has changed: read it again and repeat the change on top of it.', {
    target: { type: 'header', name: 'If-Match' },
  })
}

/** Whether a list of entity tags, or `*`, names this one. A weak tag names nothing: the comparison is the strong one. */
export function matchesEtag(header: string, etag: string): boolean {
  const tags = header.split(',').map((tag) => tag.trim())
  return tags.includes('*') || tags.includes(etag)
}
