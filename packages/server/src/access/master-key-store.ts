import type { Queryable } from '../db/database.ts'

/** By what a database knows its master keys again: the installation's, of no team. */

export interface MasterKeyRow {
  readonly id: string
  /** Seals what is written now. */
  readonly isCurrent: boolean
  readonly createdAt: Date
}

/** The current one first, then those that are being replaced. None before the first start. */
export async function selectMasterKeys(db: Queryable): Promise<readonly MasterKeyRow[]> {
  return await db.query<MasterKeyRow>(
    `select id, is_current as "isCurrent", created_at as "createdAt" from master_keys order by is_current desc, id`,
    [],
  )
}

/** Of two first keys one stays. */
export async function insertFirstMasterKey(db: Queryable, id: string, at: Date): Promise<void> {
  await db.query('insert into master_keys values ($1, true, $2) on conflict do nothing', [id, at])
}

/** From this commit on values may be sealed with the new key, and those of the old one are sealed anew. */
export async function replaceCurrentMasterKey(db: Queryable, id: string, at: Date): Promise<void> {
  await db.query('update master_keys set is_current = false where is_current', [])
  await db.query('insert into master_keys values ($1, true, $2)', [id, at])
}

/** Fails while any value is sealed with it (`foreign_key_violation`), and waits for who is about to write one. */
export async function deleteMasterKey(db: Queryable, id: string): Promise<void> {
  await db.query('delete from master_keys where id = $1 and not is_current', [id])
}

/** Whether any value, of whatever team, is sealed with the key. */
export async function isMasterKeyNeeded(db: Queryable, id: string): Promise<boolean> {
  const rows = await db.query('select 1 from config_values where key_id = $1 limit 1', [id])
  return rows.length > 0
}
