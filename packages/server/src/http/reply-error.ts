import { type ErrorContainer, type ErrorStatus, errorCatalogue, type Problem, toErrorContainer } from '@gantry/api'
import { isSystemError, UserError } from '../kernel/errors.ts'

export interface ErrorReply {
  readonly status: ErrorStatus
  readonly headers: Readonly<Record<string, string>>
  readonly body: ErrorContainer
}

export interface ErrorContext {
  readonly requestId: string
  readonly baseUrl: string
  /** Whether an error means that the database cannot be reached. */
  isUnavailable(error: unknown): boolean
}

/** Several problems of one request, found together. */
export class RequestProblems extends Error {
  override readonly name = 'RequestProblems'
  readonly problems: readonly [Problem, ...Problem[]]
  constructor(problems: readonly [Problem, ...Problem[]]) {
    super(problems[0].message)
    this.problems = problems
  }
}

/** The only translation of what was thrown into what is answered. */
export function replyError(error: unknown, context: ErrorContext): ErrorReply {
  const problems = error instanceof RequestProblems ? error.problems : ([problemOf(error, context)] as const)
  const { code } = problems[0]
  const { status } = errorCatalogue[code]
  const retryAfter = error instanceof UserError ? error.retryAfterSeconds : undefined
  return {
    status,
    headers: {
      ...(status === 401 ? { 'www-authenticate': 'Bearer realm="gantry", error="invalid_token"' } : {}),
      ...(status === 429 || status === 503 ? { 'retry-after': `${retryAfter ?? 1}` } : {}),
    },
    body: toErrorContainer(context.baseUrl, context.requestId, problems),
  }
}

function problemOf(error: unknown, context: ErrorContext): Problem {
  if (error instanceof UserError) {
    return { code: error.code, message: error.message, ...(error.target ? { target: error.target } : {}) }
  }
  if (context.isUnavailable(error)) {
    return { code: 'service_unavailable', message: 'The database cannot be reached right now. Try again in a second.' }
  }
  if (error instanceof Error && error.name === 'EngineUnavailable') {
    return { code: 'engine_unavailable', message: `The engine does not answer: ${error.message}.` }
  }
  if (isSystemError(error, 'ENOSPC', 'EDQUOT', '53100')) {
    return { code: 'disk_full', message: 'The disk of this machine is full. Make room and try again.' }
  }
  const message = `Something went wrong inside Gantry. Report it with the trace ${context.requestId}, which its log has.`
  return { code: 'internal_error', message }
}

/** Whether what was thrown is a fault of Gantry's own, to be logged as such. */
export function isOwnFault(error: unknown, context: Pick<ErrorContext, 'isUnavailable'>): boolean {
  if (error instanceof UserError || error instanceof RequestProblems) return false
  return !context.isUnavailable(error)
}
