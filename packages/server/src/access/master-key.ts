import type { Database } from '../db/database.ts'
import type { Clock } from '../kernel/clock.ts'
import { UserError } from '../kernel/errors.ts'
import { type KeyFiles, type KeyFolder, keyFileName } from './key-files.ts'
import { createKeyRing, type KeyRing } from './key-ring.ts'
import { insertFirstMasterKey, isMasterKeyNeeded, type MasterKeyRow, selectMasterKeys } from './master-key-store.ts'
import { keyIdOf } from './secret-box.ts'

export interface MasterKeyDeps {
  readonly db: Database
  readonly clock: Clock
  /** `keys/` below the home. */
  readonly files: KeyFiles
  readonly randomBytes: (size: number) => Uint8Array
}

/**
 * The installation's keys. The first start makes one and registers it; later ones refuse to start without a key that the
 * database needs, and never make a second one for it. During a rotation there are two.
 */
export async function openKeyRing(deps: MasterKeyDeps): Promise<KeyRing> {
  let rows = await selectMasterKeys(deps.db)
  if (rows.length === 0) {
    await insertFirstMasterKey(deps.db, await takeFirstKey(deps), deps.clock.now())
    rows = await selectMasterKeys(deps.db)
  }
  const found = deps.files.read()
  for (const row of rows) {
    if (found.keys.some(({ id }) => id === row.id)) continue
    if (row.isCurrent || (await isMasterKeyNeeded(deps.db, row.id))) throw wrongKey(deps.files.folder, found, row)
  }
  return createKeyRing({
    keys: found.keys.flatMap(({ id, key }) => (rows.some((row) => row.id === id) ? [key] : [])),
    current: rows.find((row) => row.isCurrent)?.id ?? '',
    randomBytes: deps.randomBytes,
    lookUp: (id) => deps.files.read().keys.find((file) => file.id === id)?.key,
  })
}

/** The key that lies there, or a new one: any will do for a database without secrets. */
async function takeFirstKey({ files, randomBytes }: MasterKeyDeps): Promise<string> {
  const { keys, damaged } = files.read()
  const [first] = keys
  if (first) return first.id
  if (damaged[0])
    throw new UserError('wrong_master_key', `${noKey(damaged[0])}: put the right file back, or remove it.`)
  const key = randomBytes(32)
  await files.write(key, 'first')
  return keyIdOf(key)
}

function wrongKey(folder: string, { keys, damaged }: KeyFolder, { id, isCurrent }: MasterKeyRow): UserError {
  const others = keys.map(({ id: other, path }) => `${path} is another one, ${other}`)
  const found = [...others, ...damaged.map(noKey)].join('; ') || 'there is no key at all'
  const need = isCurrent
    ? `The config in this database is encrypted with the master key ${id}`
    : `The master key is being rotated, and a part of the config is still encrypted with the one before, ${id}`
  return new UserError(
    'wrong_master_key',
    `${need}, which is not in ${folder}: ${found}. Put that key's file back (it belongs to the backup of this database: ` +
      `keys/${keyFileName(id)}, or keys/master.key from before a rotation; its name there does not matter as long as it ` +
      'is master*.key), or start with the database that belongs to the key you have. Nothing was changed.',
  )
}

function noKey(path: string): string {
  return `The file ${path} is no key (64 hexadecimal digits)`
}
