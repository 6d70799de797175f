import type { Readable } from 'node:stream'
import type { BodyOf, Endpoint, ParamsOf, QueryOf, ReplyOf } from '@gantry/api'
import type { Principal, TeamScope } from './principal.ts'

/** One request as a handler sees it: authenticated, authorized for the endpoint's permission, and parsed. */
export interface Call<E extends Endpoint = Endpoint> {
  readonly scope: TeamScope
  readonly principal: Principal
  readonly params: ParamsOf<E>
  readonly query: QueryOf<E>
  readonly body: BodyOf<E>
  readonly headers: CallHeaders
  /** The body of an endpoint that takes an upload, decompressed and cut off with an error at its limit. */
  readonly upload: UploadOf<E>
  readonly requestId: string
  /** `http://localhost:4400`: what every `href` begins with. No slash at the end. */
  readonly baseUrl: string
  /** Aborts when the client is gone, its token was revoked, or the server stops. */
  readonly signal: AbortSignal
}

export interface CallHeaders {
  /** For `checkIfMatch`. Only on an endpoint with `conditional: 'if_match'`. */
  readonly ifMatch?: string
  /** On an event stream: the id of the last event the client has. */
  readonly lastEventId?: string
}

export type UploadOf<E extends Endpoint> = E extends { readonly body: { readonly maxBytes: number } }
  ? Readable
  : undefined

/**
 * Returns the body of the reply: the resource or page; nothing for 204; for a stream an async iterable of events, which
 * is ended (`return`) when the client leaves. Throws `UserError`. `Location` and `ETag` come from `href` and `etag`.
 */
export type Handler<E extends Endpoint> = (call: Call<E>) => Promise<ReplyOf<E>> | ReplyOf<E>

/** An endpoint and what answers it: what `http/` mounts. */
export interface BoundEndpoint {
  readonly endpoint: Endpoint
  readonly handle: (call: Call) => Promise<unknown>
}

export function bind<const E extends Endpoint>(endpoint: E, handler: Handler<E>): BoundEndpoint {
  // http/ parses with this very endpoint's schemas before it calls
  return { endpoint, handle: async (call) => await handler(call as unknown as Call<E>) }
}
