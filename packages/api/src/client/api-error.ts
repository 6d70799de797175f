import { errorCatalogue, isErrorCode } from '../errors.ts'
import type { WireError } from '../problems.ts'

export interface ApiErrorFacts {
  readonly status: number
  readonly errors: readonly WireError[]
  readonly message: string
  readonly requestId?: string | undefined
  readonly retryAfterSeconds?: number | undefined
}

/**
 * What the API answered instead of a result. `code` and `message` are those of the first of `errors`. An answer that is
 * not Gantry's (a proxy's page, say) has no errors and the code `unexpected_reply`.
 */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly status: number
  /** From the catalogue; a newer server may give one that this client does not know. */
  readonly code: string
  readonly errors: readonly WireError[]
  readonly requestId: string | undefined
  readonly retryAfterSeconds: number | undefined
  constructor(facts: ApiErrorFacts) {
    super(facts.message)
    this.status = facts.status
    this.code = facts.errors[0]?.code ?? 'unexpected_reply'
    this.errors = facts.errors
    this.requestId = facts.requestId
    this.retryAfterSeconds = facts.retryAfterSeconds
  }
}

/** Nothing was sent: a parameter of the path is missing, or would have made it another path. */
export class PathParameterError extends TypeError {
  override readonly name = 'PathParameterError'
  constructor(operation: string, parameter: string, value: unknown) {
    super(`${operation}: \`${parameter}\` must be an id or a name, not ${JSON.stringify(value)}.`)
  }
}

/** No answer came: the name does not resolve, nothing listens, the connection broke, or it took too long. */
export class UnreachableError extends Error {
  override readonly name = 'UnreachableError'
  readonly url: string
  constructor(url: string, cause: unknown) {
    super(`No answer from ${url}: ${causeOf(cause)}`, { cause })
    this.url = url
  }
}

function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const inner: unknown = error.cause
  if (inner instanceof Error) return inner.message || ('code' in inner ? String(inner.code) : inner.name)
  return error.message
}

/** Reads an answer that is not a success. Never throws. */
export async function apiErrorOf(response: Response): Promise<ApiError> {
  const requestId = response.headers.get('x-request-id') ?? undefined
  const retryAfter = Number(response.headers.get('retry-after') ?? Number.NaN)
  const common = {
    status: response.status,
    requestId,
    retryAfterSeconds: Number.isFinite(retryAfter) ? retryAfter : undefined,
  }
  const errors = wireErrorsIn(await response.json().catch(() => undefined))
  const [first] = errors
  if (first) return new ApiError({ ...common, errors, message: first.message || titleOf(first.code) })
  const message = `The answer is not Gantry's: HTTP ${response.status} from ${new URL(response.url).origin}`
  return new ApiError({ ...common, errors: [], message })
}

function titleOf(code: string): string {
  return isErrorCode(code) ? errorCatalogue[code].title : code
}

function wireErrorsIn(body: unknown): readonly WireError[] {
  if (typeof body !== 'object' || body === null || !('errors' in body) || !Array.isArray(body.errors)) return []
  return body.errors.filter(isWireError)
}

function isWireError(value: unknown): value is WireError {
  if (typeof value !== 'object' || value === null) return false
  return 'code' in value && typeof value.code === 'string' && 'message' in value && typeof value.message === 'string'
}
