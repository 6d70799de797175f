import { createHash } from 'node:crypto'
import { UserError } from './errors.ts'

/**
 * A strong entity tag for content: quoted, 25 characters of base36 in lower case. Same JSON, same tag. Left out are
 * `etag` itself and what depends on the host name that the caller used (`href`, `git_url`).
 */
export function entityTag(content: unknown): string {
  const text = JSON.stringify(content, (key, value: unknown) => (isLeftOut(key) ? undefined : value))
  const digest = createHash('sha256').update(text).digest('hex').slice(0, 32)
  return `"${BigInt(`0x${digest}`).toString(36).padStart(25, '0')}"`
}

function isLeftOut(key: string): boolean {
  return key === 'etag' || key === 'href' || key === 'git_url'
}

/** A resource with its tag: what a reply of one resource, and each item of a list, carries. */
export function withEntityTag<Resource extends object>(resource: Resource): Resource & { readonly etag: string } {
  return { ...resource, etag: entityTag(resource) }
}

/**
 * Throws `etag_mismatch` unless the `If-Match` header is absent, or names the tag (RFC 9110 §13.1.1). Call it in the
 * transaction that changes the resource, with the row locked.
 */
export function checkIfMatch(ifMatch: string | undefined, etag: string): void {
  if (ifMatch === undefined || namesEntityTag(ifMatch, etag)) return
  throw new UserError(
    'etag_mismatch',
    'The resource has changed since it was read. Read it again and repeat the change.',
    {
      target: { type: 'header', name: 'If-Match' },
    },
  )
}

/** Whether a list of entity tags, or `*`, names this one. A weak tag names nothing: the comparison is the strong one. */
export function namesEntityTag(header: string, etag: string): boolean {
  const tags = header.split(',').map((tag) => tag.trim())
  return tags.includes('*') || tags.includes(etag)
}
