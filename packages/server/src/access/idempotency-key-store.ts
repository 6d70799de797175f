import type { Queryable } from '../db/database.ts'

/** Replies by the token that asked: nobody else's token finds them, so there is no scope to filter by. */

/** What a reply is kept under. */
export interface ReplyKey {
  readonly tokenId: string
  readonly operation: string
  readonly key: string
}

export interface IdempotencyRow {
  readonly fingerprint: Buffer
  /** `null` while the first request runs. */
  readonly status: number | null
  readonly headers: Record<string, string> | null
  readonly body: string | null
}

const where = 'token_id = $1 and operation = $2 and key = $3'
const valuesOf = ({ tokenId, operation, key }: ReplyKey) => [tokenId, operation, key]

/** This key when it is older than a day, and a few more that are. */
export async function deleteOldKeys(db: Queryable, key: ReplyKey, now: Date): Promise<void> {
  await db.query(
    `delete from idempotency_keys where (${where}) and created_at < $4::timestamptz - interval '24 hours'
       or (token_id, operation, key) in (select token_id, operation, key from idempotency_keys
         where created_at < $4::timestamptz - interval '24 hours' limit 10)`,
    [...valuesOf(key), now],
  )
}

/** False when the key is taken. */
export async function insertKey(db: Queryable, key: ReplyKey, fingerprint: Uint8Array, now: Date): Promise<boolean> {
  const inserted = await db.query(
    `insert into idempotency_keys (token_id, operation, key, fingerprint, created_at) values ($1, $2, $3, $4, $5)
     on conflict do nothing returning 1`,
    [...valuesOf(key), fingerprint, now],
  )
  return inserted.length > 0
}

export async function selectKey(db: Queryable, key: ReplyKey): Promise<IdempotencyRow | undefined> {
  const sql = `select fingerprint, status, headers, body from idempotency_keys where ${where}`
  const [row] = await db.query<IdempotencyRow>(sql, valuesOf(key))
  return row
}

/** A reply as it is kept and sent again. */
export interface KeptReply {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** JSON text, byte for byte; empty for 204. */
  readonly body: string
}

export async function updateReply(db: Queryable, key: ReplyKey, reply: KeptReply): Promise<void> {
  await db.query(`update idempotency_keys set status = $4, headers = $5, body = $6 where ${where}`, [
    ...valuesOf(key),
    reply.status,
    reply.headers,
    JSON.stringify(reply.body),
  ])
}

export async function deleteKey(db: Queryable, key: ReplyKey): Promise<void> {
  await db.query(`delete from idempotency_keys where ${where}`, valuesOf(key))
}

export async function deleteUnfinishedKeys(db: Queryable): Promise<void> {
  await db.query('delete from idempotency_keys where status is null', [])
}
