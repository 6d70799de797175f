import { createSecretBox, keyIdIn, keyIdOf, type SecretBox, SecretUnreadable } from './secret-box.ts'

/** The master keys that this process has: seals with the current one, opens what any of them sealed. */
export interface KeyRing extends Pick<SecretBox, 'seal' | 'open'> {
  /** The id of the key that seals. */
  readonly current: string
  has(id: string): boolean
  /** Returns the key's id. */
  add(key: Uint8Array): string
  /** Seals with this one from now on. It has to be on the ring. */
  use(id: string): void
  /** Forgets a key. Never the current one. */
  drop(id: string): void
}

export interface KeyRingParts {
  readonly keys: readonly Uint8Array[]
  /** The id of the current one. */
  readonly current: string
  readonly randomBytes: (size: number) => Uint8Array
  /** Asked for a key that is not on the ring: another process may have begun a rotation. */
  readonly lookUp: (id: string) => Uint8Array | undefined
}

export function createKeyRing({ keys, current: first, randomBytes, lookUp }: KeyRingParts): KeyRing {
  const boxes = new Map<string, SecretBox>()
  let current = ''
  const ring: KeyRing = {
    get current() {
      return current
    },
    has: (id) => boxes.has(id),
    add(key) {
      const id = keyIdOf(key)
      boxes.set(id, createSecretBox(key, randomBytes))
      return id
    },
    use(id) {
      if (!boxes.has(id)) throw new RangeError(`the master key ${id} is not on the ring`)
      current = id
    },
    drop(id) {
      if (id === current) throw new RangeError('the current master key is needed')
      boxes.delete(id)
    },
    seal: (plain, context) => boxOf(current).seal(plain, context),
    open: (sealed, context) => boxOf(keyIdIn(sealed)).open(sealed, context),
  }
  const boxOf = (id: string): SecretBox => {
    const key = boxes.has(id) ? undefined : lookUp(id)
    if (key) ring.add(key)
    const box = boxes.get(id)
    if (!box) throw new SecretUnreadable(`sealed with another master key, ${id}`)
    return box
  }
  for (const key of keys) ring.add(key)
  ring.use(first)
  return ring
}
