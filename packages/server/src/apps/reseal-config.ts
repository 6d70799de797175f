import { SecretUnreadable } from '../access/index.ts'
import type { Transaction } from '../db/database.ts'
import type { Secrets } from './ports.ts'
import { lockSealedValues, type SealedPlace, updateCiphertexts } from './sealed-value-store.ts'

export interface ResealRequest {
  /** Values that are sealed with this master key. */
  readonly keyId: string
  /** Where the batch before ended; the beginning when there was none. */
  readonly after?: SealedPlace | undefined
  readonly limit: number
}

export interface ResealedBatch {
  /** The last value looked at; undefined when there was none left. */
  readonly last?: SealedPlace
  /** What their key does not open: damaged, or moved here from another row. They stay as they are. */
  readonly unreadable: readonly SealedPlace[]
}

/** Seals a batch of values anew, with the key that seals now. What they say does not change, so nobody is told. */
export async function resealConfig(tx: Transaction, secrets: Secrets, request: ResealRequest): Promise<ResealedBatch> {
  const values = await lockSealedValues(tx, request)
  const unreadable: SealedPlace[] = []
  const resealed = values.flatMap((value) => {
    try {
      return [{ ...value, ciphertext: secrets.seal(secrets.open(value.ciphertext, value), value) }]
    } catch (error) {
      if (!(error instanceof SecretUnreadable)) throw error
      unreadable.push(value)
      return []
    }
  })
  await updateCiphertexts(tx, resealed)
  const last = values.at(-1)
  return { unreadable, ...(last && { last }) }
}
