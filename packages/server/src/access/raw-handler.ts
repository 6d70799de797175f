import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Principal } from './principal.ts'

/** One request that is answered on Node's own objects, such as git's protocol: nothing has been read or written yet. */
export interface RawCall {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly requestId: string
  /** `http://localhost:4400`. No slash at the end. */
  readonly baseUrl: string
  /** Aborts when the client is gone or the server stops. */
  readonly signal: AbortSignal
  /** Who asks, by Bearer or Basic (the password is the token). Throws `unauthenticated`, or `rate_limited` after many bad tries. */
  authenticate(): Promise<Principal>
}

/**
 * Resolves when the response has ended. What it throws before the response's head is sent is answered as text with the
 * error's status, and with `WWW-Authenticate: Basic` where that is 401; afterwards the connection is cut.
 */
export type RawHandler = (call: RawCall) => Promise<void>
