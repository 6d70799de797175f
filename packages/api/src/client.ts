import type { z } from 'zod'
import { UnreachableError } from './client/api-error.ts'
import { type ClientOptions, type RawInput, send, type Upload } from './client/request.ts'
import { followEvents } from './client/stream.ts'
import type { BodyInputOf, Endpoint, EventOf, ParamsOf, QueryInputOf, ReplyOf } from './endpoint.ts'

/** The parts of an input that an endpoint needs, and no other. */
export type CallInput<E extends Endpoint> = (E extends { readonly params: z.ZodObject }
  ? { readonly params: ParamsOf<E> }
  : unknown) &
  (E extends { readonly query: z.ZodObject }
    ? Record<never, never> extends QueryInputOf<E>
      ? { readonly query?: QueryInputOf<E> | undefined }
      : { readonly query: QueryInputOf<E> }
    : unknown) &
  (E extends { readonly body: { readonly schema: z.ZodObject } } ? { readonly body: BodyInputOf<E> } : unknown) &
  (E extends { readonly body: { readonly maxBytes: number } } ? { readonly upload: Upload } : unknown) &
  (E extends { readonly conditional: 'if_match' } ? { readonly ifMatch?: string | undefined } : unknown) &
  (E extends { readonly idempotent: true } ? { readonly idempotencyKey?: string | undefined } : unknown) &
  (E extends { readonly reply: { readonly event: z.ZodType } }
    ? { readonly lastEventId?: string | undefined }
    : unknown) & {
    readonly signal?: AbortSignal | undefined
  }

/** What goes into a call: left out altogether where nothing is needed. */
export type CallArguments<E extends Endpoint> =
  Record<never, never> extends CallInput<E> ? [input?: CallInput<E>] : [input: CallInput<E>]

type ArrayKeys<R> = { [Key in keyof R]-?: R[Key] extends readonly unknown[] ? Key : never }[keyof R]

/** One resource of a list. */
export type ItemOf<E extends Endpoint> = ReplyOf<E>[ArrayKeys<ReplyOf<E>>] extends readonly (infer Item)[]
  ? Item
  : never

/**
 * A typed client of the API, for Node from 20 on and browsers. Errors are thrown as `ApiError` (the server said no) or
 * `UnreachableError` (nobody answered). Calls that are safe, or carry an idempotency key (made when none is given), are
 * tried again when the server is away for a moment.
 */
export interface Client {
  readonly baseUrl: string
  call<E extends Endpoint>(endpoint: E, ...input: CallArguments<E>): Promise<ReplyOf<E>>
  /** The events of a stream, to its `end`; connects again where it broke off. */
  stream<E extends Endpoint>(endpoint: E, ...input: CallArguments<E>): AsyncGenerator<EventOf<E>>
  /** The pages of a list, from the one that `input` names to the last. */
  pages<E extends Endpoint>(endpoint: E, ...input: CallArguments<E>): AsyncGenerator<ReplyOf<E>>
  /** The resources of all pages of a list. */
  items<E extends Endpoint>(endpoint: E, ...input: CallArguments<E>): AsyncGenerator<ItemOf<E>>
}

export function createClient(options: ClientOptions): Client {
  const pages = (endpoint: Endpoint, input: RawInput = {}) => eachPage(options, endpoint, input)
  const client = {
    baseUrl: options.baseUrl.replace(/\/+$/, ''),
    call: (endpoint: Endpoint, input: RawInput = {}) => call(options, endpoint, input),
    stream: (endpoint: Endpoint, input: RawInput = {}) => followEvents(options, endpoint, input),
    pages,
    items: async function* (endpoint: Endpoint, input?: RawInput) {
      for await (const page of pages(endpoint, input)) {
        for (const value of Object.values(page)) if (Array.isArray(value)) yield* value
      }
    },
  }
  // the endpoint's type says what goes in and comes out; inside, all endpoints are alike
  return client as unknown as Client
}

async function call(options: ClientOptions, endpoint: Endpoint, input: RawInput): Promise<unknown> {
  const timeout = AbortSignal.timeout(options.timeoutMs ?? 60_000)
  const signals = [...(input.signal ? [input.signal] : []), ...(input.upload ? [] : [timeout])]
  const idempotencyKey = input.idempotencyKey ?? (endpoint.idempotent ? newKey() : undefined)
  const unreachable = (cause: unknown) => new UnreachableError(new URL(options.baseUrl).origin, cause)
  let response: Response
  try {
    response = await send(options, endpoint, { ...input, idempotencyKey, signal: AbortSignal.any(signals) })
  } catch (error) {
    throw timeout.aborted && error === timeout.reason ? unreachable(error) : error
  }
  if (response.status === 204) return undefined
  return await response.json().catch((cause: unknown) => {
    throw input.signal?.aborted ? input.signal.reason : unreachable(cause)
  })
}

async function* eachPage(options: ClientOptions, endpoint: Endpoint, input: RawInput): AsyncGenerator<object> {
  let query = input.query
  for (;;) {
    const page = (await call(options, endpoint, { ...input, ...(query ? { query } : {}) })) as {
      readonly next?: { readonly start: string }
    }
    yield page
    if (!page.next) return
    query = { ...query, start: page.next.start }
  }
}

/** 128 random bits. `randomUUID` is missing where a page was not loaded over TLS. */
function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
