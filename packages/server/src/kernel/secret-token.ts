import { createHash } from 'node:crypto'

/**
 * API tokens: `gantry_` and 32 random bytes in base62, 43 characters. The prefix lets scanners for leaked secrets
 * recognise one. Kept as SHA-256 only: 32 random bytes need no slow hash.
 */
const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const form = /^gantry_[0-9A-Za-z]{43}$/

export function newSecretToken(randomBytes: (size: number) => Uint8Array): string {
  let rest = BigInt(`0x${Buffer.from(randomBytes(32)).toString('hex')}`)
  let text = ''
  for (let i = 0; i < 43; i++) {
    text = alphabet[Number(rest % 62n)] + text
    rest /= 62n
  }
  return `gantry_${text}`
}

export function isSecretToken(text: string): boolean {
  return form.test(text)
}

/** What is kept of a token. */
export function hashSecretToken(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}

/** The first characters, to recognise a token by: `gantry_7Qm2`. */
export function prefixOfSecretToken(token: string): string {
  return token.slice(0, 11)
}
