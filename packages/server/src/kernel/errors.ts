import type { ErrorCode } from '@gantry/api'

/** The part of a request that an error is about. */
export interface ErrorTarget {
  readonly type: 'field' | 'parameter' | 'header'
  readonly name: string
}

export interface UserErrorOptions {
  readonly target?: ErrorTarget
  readonly cause?: unknown
  /** Seconds after which a retry makes sense. */
  readonly retryAfterSeconds?: number
}

/**
 * Something the caller did or can change. `code` is from the catalogue in `@gantry/api`, which fixes the HTTP status;
 * `message` says what happened, where, and what to do. Anything else that is thrown is a fault of Gantry's own and
 * answers 500 `internal_error`.
 */
export class UserError extends Error {
  override readonly name = 'UserError'
  readonly code: ErrorCode
  readonly target: ErrorTarget | undefined
  readonly retryAfterSeconds: number | undefined
  constructor(code: ErrorCode, message: string, options: UserErrorOptions = {}) {
    super(message, { cause: options.cause })
    this.code = code
    this.target = options.target
    this.retryAfterSeconds = options.retryAfterSeconds
  }
}

/** The sentence in an unknown thrown value. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** Narrows Node's system errors: `isSystemError(e, 'ENOENT')`. */
export function isSystemError(error: unknown, ...codes: string[]): error is NodeJS.ErrnoException {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code))
}
