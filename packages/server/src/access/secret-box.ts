import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto'

/** What a secret is bound to: a ciphertext that was moved to another row does not open there. */
export interface SecretContext {
  readonly environmentId: string
  readonly name: string
}

/**
 * Secrets at rest: AES-256-GCM with a key and nonce of each secret's own, derived by HKDF-SHA256 from the master key and
 * 16 random bytes. Layout: version (1 byte, 1), key id (8), salt (16), tag (16), ciphertext.
 */
export interface SecretBox {
  /** Says which master key a ciphertext needs; reveals nothing of it. */
  readonly keyId: string
  seal(plain: string, context: SecretContext): Uint8Array
  /** Throws `SecretUnreadable` on another key's ciphertext, another row's, or a damaged one. */
  open(cipher: Uint8Array, context: SecretContext): string
}

export class SecretUnreadable extends Error {
  override readonly name = 'SecretUnreadable'
}

const version = 1
const idSize = 8
const saltSize = 16
const tagSize = 16
const headSize = 1 + idSize + saltSize + tagSize

/** Names a master key, as every ciphertext of it does in its header. */
export function keyIdOf(masterKey: Uint8Array): string {
  return keyIdBytes(masterKey).toString('hex')
}

/** The id of the master key that a ciphertext needs. */
export function keyIdIn(sealed: Uint8Array): string {
  if (sealed.length < headSize || sealed[0] !== version) throw new SecretUnreadable('this is not a sealed secret')
  return Buffer.from(sealed.subarray(1, 1 + idSize)).toString('hex')
}

function keyIdBytes(masterKey: Uint8Array): Buffer {
  if (masterKey.length !== 32) throw new RangeError('a master key has 32 bytes')
  return Buffer.from(hkdfSync('sha256', masterKey, '', 'gantry key id', idSize))
}

/** `masterKey`: 32 random bytes. */
export function createSecretBox(masterKey: Uint8Array, randomBytes: (size: number) => Uint8Array): SecretBox {
  const keyId = keyIdBytes(masterKey)
  const derive = (salt: Uint8Array) => {
    const bytes = Buffer.from(hkdfSync('sha256', masterKey, salt, 'gantry secret', 32 + 12))
    return { key: bytes.subarray(0, 32), nonce: bytes.subarray(32) }
  }
  return {
    keyId: keyId.toString('hex'),
    seal(plain, context) {
      const salt = randomBytes(saltSize)
      const { key, nonce } = derive(salt)
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(bindingOf(context))
      const body = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()])
      return Buffer.concat([Buffer.of(version), keyId, salt, cipher.getAuthTag(), body])
    },
    open(sealed, context) {
      const bytes = Buffer.from(sealed)
      const salt = bytes.subarray(1 + idSize, 1 + idSize + saltSize)
      if (keyIdIn(bytes) !== keyId.toString('hex')) throw new SecretUnreadable('sealed with another master key')
      const { key, nonce } = derive(salt)
      const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: tagSize })
      decipher.setAAD(bindingOf(context)).setAuthTag(bytes.subarray(1 + idSize + saltSize, headSize))
      try {
        return Buffer.concat([decipher.update(bytes.subarray(headSize)), decipher.final()]).toString('utf8')
      } catch (cause) {
        throw new SecretUnreadable(`the secret ${context.name} is damaged, or belongs elsewhere`, { cause })
      }
    },
  }
}

function bindingOf({ environmentId, name }: SecretContext): Buffer {
  return Buffer.from(JSON.stringify([environmentId, name]))
}
