import type { Queryable } from '../db/database.ts'
import type { ConfigId, EnvironmentId } from '../kernel/ids.ts'

/** Sealed values by the master key that they need: the installation's, so that these queries look at every team's. */

/** Where a sealed value stands, and what it is bound to. */
export interface SealedPlace {
  readonly configId: ConfigId
  readonly name: string
  readonly environmentId: EnvironmentId
}

export interface PlacedValue extends SealedPlace {
  readonly ciphertext: Uint8Array
}

/** Locks the next values, in order, so that who deletes them waits, or has done so. */
export async function lockSealedValues(
  db: Queryable,
  { keyId, after, limit }: { readonly keyId: string; readonly after?: SealedPlace | undefined; readonly limit: number },
): Promise<readonly PlacedValue[]> {
  return await db.query<PlacedValue>(
    `select v.config_id as "configId", v.name, c.environment_id as "environmentId", v.ciphertext
     from config_values v join configs c on c.id = v.config_id
     where v.key_id = $1 and (v.config_id, v.name) > ($2, $3)
     order by v.config_id, v.name limit $4 for update of v`,
    [keyId, after?.configId ?? '', after?.name ?? '', limit],
  )
}

export async function updateCiphertexts(db: Queryable, values: readonly PlacedValue[]): Promise<void> {
  if (values.length === 0) return
  await db.query(
    `update config_values v set ciphertext = n.ciphertext
     from unnest($1::text[], $2::text[], $3::bytea[]) as n(config_id, name, ciphertext)
     where v.config_id = n.config_id and v.name = n.name`,
    [
      values.map((value) => value.configId),
      values.map((value) => value.name),
      values.map((value) => Buffer.from(value.ciphertext)),
    ],
  )
}

/** How many values are sealed with this master key. */
export async function countSealedWith(db: Queryable, keyId: string): Promise<number> {
  const [row] = await db.query<{ count: number }>('select count(*) as count from config_values where key_id = $1', [
    keyId,
  ])
  return row?.count ?? 0
}
