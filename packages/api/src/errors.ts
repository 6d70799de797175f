import { buildErrors } from './errors/build-errors.ts'
import type { CatalogueEntry } from './errors/catalogue-entry.ts'
import { deliveryErrors } from './errors/delivery-errors.ts'
import { requestErrors } from './errors/request-errors.ts'
import { sourceErrors } from './errors/source-errors.ts'
import { startErrors } from './errors/start-errors.ts'

/**
 * The catalogue of error codes: every code that Gantry can give, with its HTTP status and what to do. A code names the
 * problem and never changes its meaning; adding one to an operation breaks clients that know them all.
 */
const catalogue = { ...requestErrors, ...sourceErrors, ...buildErrors, ...deliveryErrors, ...startErrors }

export type ErrorCode = keyof typeof catalogue

export const errorCatalogue: Readonly<Record<ErrorCode, CatalogueEntry>> = catalogue

export const errorCodes = Object.keys(catalogue) as readonly ErrorCode[] as readonly [ErrorCode, ...ErrorCode[]]

export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(catalogue, text)
}

/** The page that explains a code, on the installation itself. `baseUrl` has no trailing slash. */
export function errorUrl(baseUrl: string, code: ErrorCode): string {
  return `${baseUrl}/docs/errors/${code}`
}

export type { CatalogueEntry, ErrorPlace, ErrorStatus } from './errors/catalogue-entry.ts'
