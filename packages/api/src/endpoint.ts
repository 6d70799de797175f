import type { z } from 'zod'
import type { ErrorCode } from './errors.ts'
import type { Permission } from './permissions.ts'
import type { Tag } from './tags.ts'

/**
 * One operation of the API, defined once: the server's route, the OpenAPI document and the typed client all come from
 * this value. Make one with `defineEndpoint`, which keeps its exact type.
 */
export interface Endpoint {
  /** IBM's naming: `list_apps`, `create_app`, `get_app`, … */
  readonly operationId: string
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  /** `/v1/apps/{id}`: a parameter fills a whole segment. */
  readonly path: string
  readonly summary: string
  readonly description: string
  readonly tag: Tag
  readonly permission: Permission
  /** One string schema a path parameter. */
  readonly params?: z.ZodObject
  /** Parses the query's strings; strict, so that an unknown parameter is an error. */
  readonly query?: z.ZodObject
  readonly body?: JsonBody | UploadBody
  readonly reply: JsonReply | EmptyReply | StreamReply
  /** What this operation can answer beyond what every operation of its form can: see `errorsOf`. */
  readonly errors?: readonly ErrorCode[]
  /** The precondition it honours: `if_none_match` answers 304, `if_match` 412. */
  readonly conditional?: 'if_match' | 'if_none_match'
  /** Takes `Idempotency-Key`. */
  readonly idempotent?: true
}

export interface JsonBody {
  readonly mediaType: 'application/json' | 'application/merge-patch+json'
  readonly schema: z.ZodObject
  readonly description: string
  readonly example: object
}

/** Bytes that the handler reads as a stream. */
export interface UploadBody {
  readonly mediaType: 'application/x-tar'
  readonly description: string
  readonly maxBytes: number
}

export interface JsonReply {
  /** 202: something was started whose end the resource's `status` tells. */
  readonly status: 200 | 201 | 202
  readonly mediaType: 'application/json'
  readonly schema: z.ZodObject
  readonly description: string
  readonly example: object
  /** `no-store`: the reply holds a secret. */
  readonly cache?: 'no-store'
}

export interface EmptyReply {
  readonly status: 204
  readonly description: string
}

/** Server-sent events. `schema` is an event as it is documented (`data` is text); `event` is one as programs see it. */
export interface StreamReply {
  readonly status: 200
  readonly mediaType: 'text/event-stream'
  readonly schema: z.ZodObject
  readonly event: z.ZodType
  readonly description: string
  readonly example: object
}

/** Keeps the exact type of an endpoint while checking it. */
export function defineEndpoint<const E extends Endpoint>(endpoint: E): E {
  return endpoint
}

type Nothing = Readonly<Record<never, never>>

/** Nothing that went over the wire is changed by who reads it. */
export type Immutable<T> = T extends readonly (infer Item)[]
  ? readonly Immutable<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: Immutable<T[Key]> }
    : T

/** A handler's view: parsed path parameters. */
export type ParamsOf<E extends Endpoint> = E extends { readonly params: infer S extends z.ZodObject }
  ? Immutable<z.output<S>>
  : Nothing

/** A handler's view: parsed query parameters, defaults filled in. */
export type QueryOf<E extends Endpoint> = E extends { readonly query: infer S extends z.ZodObject }
  ? Immutable<z.output<S>>
  : Nothing

/** A handler's view: the parsed body; `undefined` for an upload, which is read as a stream. */
export type BodyOf<E extends Endpoint> = E extends { readonly body: { readonly schema: infer S extends z.ZodObject } }
  ? Immutable<z.output<S>>
  : undefined

/** The body of a successful reply: JSON; `undefined` for 204; for a stream the events, decoded. */
export type ReplyOf<E extends Endpoint> = E extends { readonly reply: { readonly event: infer S extends z.ZodType } }
  ? AsyncIterable<Immutable<z.output<S>>>
  : E extends { readonly reply: { readonly schema: infer S extends z.ZodObject } }
    ? Immutable<z.output<S>>
    : undefined

/** One event of a stream. */
export type EventOf<E extends Endpoint> = E extends { readonly reply: { readonly event: infer S extends z.ZodType } }
  ? Immutable<z.output<S>>
  : never

/** A caller's view of the query: what has a default may be left out, and values have their own type, not text. */
export type QueryInputOf<E extends Endpoint> = E extends { readonly query: infer S extends z.ZodObject }
  ? { readonly [Key in keyof z.input<S>]: Immutable<z.output<S>[Key & keyof z.output<S>]> | undefined }
  : Nothing

/** A caller's view of the body. */
export type BodyInputOf<E extends Endpoint> = E extends {
  readonly body: { readonly schema: infer S extends z.ZodObject }
}
  ? Immutable<z.input<S>>
  : undefined
