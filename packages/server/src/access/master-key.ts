import { readFile } from 'node:fs/promises'
import type { Database } from '../db/database.ts'
import { writeFileAtomically } from '../kernel/atomic-file.ts'
import { isSystemError, UserError } from '../kernel/errors.ts'
import { insertKeyId, selectKeyId } from './master-key-store.ts'
import { createSecretBox, type SecretBox } from './secret-box.ts'

export interface MasterKeyDeps {
  readonly db: Database
  /** `keys/master.key` below the home: 64 hexadecimal digits. */
  readonly path: string
  readonly randomBytes: (size: number) => Uint8Array
}

/**
 * The box for secrets, with the installation's key. The first start makes key and check value; later ones refuse a key
 * that is not the database's, and never make a second one for it.
 */
export async function openSecretBox({ db, path, randomBytes }: MasterKeyDeps): Promise<SecretBox> {
  const known = await selectKeyId(db)
  let key = await readKey(path)
  if (key === undefined) {
    if (known) throw wrongKey(`There is no key at ${path}`)
    key = Buffer.from(randomBytes(32))
    await writeFileAtomically(path, `${key.toString('hex')}\n`, 0o600)
  }
  const box = createSecretBox(key, randomBytes)
  const stored = await insertKeyId(db, box.keyId)
  if (stored !== box.keyId) throw wrongKey(`The key at ${path} is another one`)
  return box
}

async function readKey(path: string): Promise<Buffer | undefined> {
  try {
    const text = (await readFile(path, 'utf8')).trim()
    if (!/^[0-9a-f]{64}$/.test(text)) throw wrongKey(`The file ${path} is no key (64 hexadecimal digits)`)
    return Buffer.from(text, 'hex')
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return undefined
    throw error
  }
}

function wrongKey(what: string): UserError {
  return new UserError(
    'wrong_master_key',
    `${what}, and the config in this database was encrypted with the key of its first start. Put that file back ` +
      '(it belongs to the backup of this installation), or start with the database that belongs to this key. Nothing was changed.',
  )
}
