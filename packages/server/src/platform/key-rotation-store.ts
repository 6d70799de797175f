import type { Queryable } from '../db/database.ts'
import type { KeyRotationId } from '../kernel/ids.ts'
import type { KeyRotation, KeyRotationStatus } from './key-rotation.ts'

/** Rotations of the master key: the installation's, of no team. At most one is open, by a unique index. */

const columns = `id, status, old_key_id as "oldKeyId", new_key_id as "newKeyId", value_count as "valueCount",
  unreadable_count as "unreadableCount", finished_at as "finishedAt"`

export interface NewKeyRotation {
  readonly id: KeyRotationId
  readonly requestedBy: string
  readonly at: Date
}

/** Nothing when one is open already. */
export async function insertKeyRotation(db: Queryable, { id, requestedBy, at }: NewKeyRotation): Promise<void> {
  await db.query(
    `insert into key_rotations (id, status, old_key_id, requested_by, created_at)
     select $1, 'preparing', k.id, $2, $3 from master_keys k where k.is_current on conflict do nothing`,
    [id, requestedBy, at],
  )
}

export async function selectKeyRotation(db: Queryable, id: KeyRotationId): Promise<KeyRotation | undefined> {
  const [row] = await db.query<KeyRotation>(`select ${columns} from key_rotations where id = $1`, [id])
  return row
}

export async function selectOpenKeyRotation(db: Queryable): Promise<KeyRotation | undefined> {
  const [row] = await db.query<KeyRotation>(`select ${columns} from key_rotations where finished_at is null`, [])
  return row
}

export async function selectLastKeyRotation(db: Queryable): Promise<KeyRotation | undefined> {
  const [row] = await db.query<KeyRotation>(
    `select ${columns} from key_rotations order by created_at desc, id desc limit 1`,
    [],
  )
  return row
}

/** Names the key that is about to be made. False when another process has gone on meanwhile. */
export async function setNewKey(db: Queryable, rotation: KeyRotation, newKeyId: string): Promise<boolean> {
  const rows = await db.query(
    `update key_rotations set new_key_id = $3
     where id = $1 and status = 'preparing' and new_key_id is not distinct from $2 returning 1`,
    [rotation.id, rotation.newKeyId, newKeyId],
  )
  return rows.length > 0
}

/** Takes the step from one status to the next, once. False when another process has. */
export async function moveKeyRotation(
  db: Queryable,
  rotation: KeyRotation,
  to: KeyRotationStatus,
  more: { readonly valueCount?: number; readonly finishedAt?: Date } = {},
): Promise<boolean> {
  const rows = await db.query(
    `update key_rotations set status = $3, value_count = coalesce($5, value_count), finished_at = $6,
       unreadable_count = 0
     where id = $1 and status = $2 and new_key_id = $4 returning 1`,
    [rotation.id, rotation.status, to, rotation.newKeyId, more.valueCount ?? null, more.finishedAt ?? null],
  )
  return rows.length > 0
}

export async function setUnreadableCount(db: Queryable, rotation: KeyRotation, count: number): Promise<void> {
  await db.query('update key_rotations set unreadable_count = $2 where id = $1', [rotation.id, count])
}
