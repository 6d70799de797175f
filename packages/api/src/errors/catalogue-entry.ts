/** Where a code shows: in a reply of the API, as the answer to `git push`, in `errors` of a build or deploy, at start. */
export type ErrorPlace = 'api' | 'git' | 'deploy' | 'start'

/** What the catalogue says about one error code. */
export interface CatalogueEntry {
  /** The HTTP status of a reply whose first error this is. Codes that only builds and deploys carry have 409. */
  readonly status: ErrorStatus
  /** One line, without a final period: the `title` of the error body and of its page. */
  readonly title: string
  /** What happened and what to do about it, for the page `/docs/errors/<code>`. Markdown. */
  readonly description: string
  readonly places: readonly ErrorPlace[]
}

export type ErrorStatus = 400 | 401 | 403 | 404 | 405 | 406 | 409 | 412 | 413 | 414 | 415 | 429 | 500 | 503

type Written = Readonly<Record<string, Omit<CatalogueEntry, 'places'>>>

/** Gives every entry of a group its places. */
export function showing<const Entries extends Written>(places: readonly ErrorPlace[], entries: Entries) {
  const result: Record<string, CatalogueEntry> = {}
  for (const [code, entry] of Object.entries(entries)) result[code] = { ...entry, places }
  return result as { readonly [Code in keyof Entries]: CatalogueEntry }
}
