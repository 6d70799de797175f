/** A list endpoint's request, as far as its links need it: `query` without `start`. */
export interface ListRequest {
  /** No slash at the end. */
  readonly baseUrl: string
  readonly path: string
  readonly query: { readonly limit: number; readonly start?: string | undefined }
}

export interface PageLinks {
  readonly limit: number
  readonly first: { readonly href: string }
  readonly next?: { readonly href: string; readonly start: string }
}

/** What every page of a list says besides its items. `next`: the token of the following page. */
export function pageLinks(request: ListRequest, next: string | undefined): PageLinks {
  const first = new URLSearchParams()
  for (const [name, value] of Object.entries(request.query)) {
    if (name !== 'start' && value !== undefined) first.set(name, String(value))
  }
  const url = `${request.baseUrl}${request.path}`
  const page = { limit: request.query.limit, first: { href: `${url}?${first}` } }
  if (next === undefined) return page
  const following = new URLSearchParams([...first, ['start', next]])
  return { ...page, next: { href: `${url}?${following}`, start: next } }
}
