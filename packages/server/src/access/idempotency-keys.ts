import type { AccessDeps } from './access-deps.ts'
import {
  deleteKey,
  deleteOldKeys,
  deleteUnfinishedKeys,
  insertKey,
  type KeptReply,
  type ReplyKey,
  selectKey,
  updateReply,
} from './idempotency-key-store.ts'

export interface IdempotentRequest extends ReplyKey {
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

export function createIdempotencyKeys({ db, clock }: Pick<AccessDeps, 'db' | 'clock'>): IdempotencyKeys {
  return {
    async claim(request) {
      const now = clock.now()
      await deleteOldKeys(db, request, now)
      if (await insertKey(db, request, request.fingerprint, now)) return { kind: 'first' }
      const row = await selectKey(db, request)
      if (!row) return { kind: 'running' } // dropped just now: the client may come again at once
      if (!row.fingerprint.equals(request.fingerprint)) return { kind: 'reused' }
      if (row.status === null) return { kind: 'running' }
      return { kind: 'replay', reply: { status: row.status, headers: row.headers ?? {}, body: row.body ?? '' } }
    },
    keep: (request, reply) => updateReply(db, request, reply),
    drop: (request) => deleteKey(db, request),
    dropUnfinished: () => deleteUnfinishedKeys(db),
  }
}
