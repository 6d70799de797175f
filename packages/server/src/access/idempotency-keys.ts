import type { AccessDeps } from './access-deps.ts'

/** A reply as it is kept and sent again. */
export interface KeptReply {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** JSON text, byte for byte; empty for 204. */
  readonly body: string
}

export interface IdempotentRequest {
  readonly tokenId: string
  readonly operation: string
  readonly key: string
  /** SHA-256 of what was asked for: path, query, body. */
  readonly fingerprint: Uint8Array
}

/** `first`: go on, and `keep` or `drop`. `running`: the first one has not answered yet. `reused`: another request has this key. */
export type Claim =
  | { readonly kind: 'first' }
  | { readonly kind: 'running' }
  | { readonly kind: 'reused' }
  | { readonly kind: 'replay'; readonly reply: KeptReply }

/** Replies of POST requests by their `Idempotency-Key`, kept for a day. */
export interface IdempotencyKeys {
  claim(request: IdempotentRequest): Promise<Claim>
  keep(request: IdempotentRequest, reply: KeptReply): Promise<void>
  /** Forgets a key whose request failed: it changed nothing, so it may be tried again. */
  drop(request: IdempotentRequest): Promise<void>
  /** Forgets keys that a process took with it into its end. Call at start, when no other process serves this database. */
  dropUnfinished(): Promise<void>
}

interface Row {
  readonly fingerprint: Buffer
  readonly status: number | null
  readonly headers: Record<string, string> | null
  readonly body: string | null
}

const where = 'token_id = $1 and operation = $2 and key = $3'

export function createIdempotencyKeys({ db, clock }: Pick<AccessDeps, 'db' | 'clock'>): IdempotencyKeys {
  const keyOf = ({ tokenId, operation, key }: IdempotentRequest) => [tokenId, operation, key]
  return {
    async claim(request) {
      const now = clock.now()
      await db.query(
        `delete from idempotency_keys where (${where}) and created_at < $4::timestamptz - interval '24 hours'
           or (token_id, operation, key) in (select token_id, operation, key from idempotency_keys
             where created_at < $4::timestamptz - interval '24 hours' limit 10)`,
        [...keyOf(request), now],
      )
      const inserted = await db.query(
        `insert into idempotency_keys (token_id, operation, key, fingerprint, created_at) values ($1, $2, $3, $4, $5)
         on conflict do nothing returning 1`,
        [...keyOf(request), request.fingerprint, now],
      )
      if (inserted.length > 0) return { kind: 'first' }
      const sql = `select fingerprint, status, headers, body from idempotency_keys where ${where}`
      const [row] = await db.query<Row>(sql, keyOf(request))
      if (!row) return { kind: 'running' } // dropped just now: the client may come again at once
      if (!row.fingerprint.equals(request.fingerprint)) return { kind: 'reused' }
      if (row.status === null) return { kind: 'running' }
      return { kind: 'replay', reply: { status: row.status, headers: row.headers ?? {}, body: row.body ?? '' } }
    },
    async keep(request, reply) {
      await db.query(`update idempotency_keys set status = $4, headers = $5, body = $6 where ${where}`, [
        ...keyOf(request),
        reply.status,
        reply.headers,
        JSON.stringify(reply.body),
      ])
    },
    async drop(request) {
      await db.query(`delete from idempotency_keys where ${where}`, keyOf(request))
    },
    async dropUnfinished() {
      await db.query('delete from idempotency_keys where status is null', [])
    },
  }
}
