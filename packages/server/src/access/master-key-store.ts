import type { Queryable } from '../db/database.ts'

/** By what a database knows its master key again: the installation's, of no team. */

const name = 'master_key_id'

export async function selectKeyId(db: Queryable): Promise<string | undefined> {
  const [row] = await db.query<{ value: string }>('select value from platform where name = $1', [name])
  return row?.value
}

/** The first one stays: returns the id that is kept, which is another one when somebody was quicker. */
export async function insertKeyId(db: Queryable, keyId: string): Promise<string | undefined> {
  const [row] = await db.query<{ value: string }>(
    `insert into platform (name, value) values ($1, $2)
     on conflict (name) do update set value = platform.value returning value`,
    [name, keyId],
  )
  return row?.value
}
