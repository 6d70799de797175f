import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { createKeyFiles } from './key-files.ts'
import { createKeyRing } from './key-ring.ts'
import { keyIdIn, keyIdOf, SecretUnreadable } from './secret-box.ts'

const context = { environmentId: 'env-1', name: 'API_KEY' }
const ringOf = (keys: readonly Uint8Array[], current: Uint8Array, elsewhere: readonly Uint8Array[] = []) =>
  createKeyRing({
    keys,
    current: keyIdOf(current),
    randomBytes,
    lookUp: (id) => elsewhere.find((key) => keyIdOf(key) === id),
  })

describe('the key ring', () => {
  const [old, next] = [randomBytes(32), randomBytes(32)]

  it('seals with the current key, at once with the one that follows it, and opens what any of them sealed', () => {
    const ring = ringOf([old], old)
    const before = ring.seal('one', context)
    ring.use(ring.add(next))
    const after = ring.seal('two', context)
    assert.deepEqual([keyIdIn(before), keyIdIn(after)], [keyIdOf(old), keyIdOf(next)])
    assert.deepEqual([ring.open(before, context), ring.open(after, context)], ['one', 'two'])
    ring.drop(keyIdOf(old))
    assert.throws(() => ring.open(before, context), /another master key/)
    assert.equal(ring.open(after, context), 'two')
  })

  it('looks for a key that another process has made', () => {
    const sealed = ringOf([next], next).seal('two', context)
    assert.equal(ringOf([old], old, [next]).open(sealed, context), 'two')
    assert.throws(() => ringOf([old], old).open(sealed, context), SecretUnreadable)
    assert.throws(() => ringOf([old], old).open(Buffer.of(0), context), SecretUnreadable)
  })

  it('never goes without a current key', () => {
    const ring = ringOf([old], old)
    assert.throws(() => ring.drop(keyIdOf(old)), RangeError)
    assert.throws(() => ring.use(keyIdOf(next)), RangeError)
    assert.throws(() => ringOf([old], next), RangeError)
  })
})

describe('the files of keys', () => {
  it('are private, one a key; only the key that is meant goes, whatever its files are called', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'gantry-test-keys-'))
    try {
      const files = createKeyFiles(folder)
      const [first, later] = [randomBytes(32), randomBytes(32)]
      await files.write(first, 'first')
      await files.write(later, 'later')
      writeFileSync(join(folder, 'master-of-monday.key'), first.toString('hex'))
      writeFileSync(join(folder, 'master-broken.key'), 'nonsense')
      writeFileSync(join(folder, 'database-password'), 'x')
      const laterName = `master-${keyIdOf(later)}.key`
      assert.equal(statSync(join(folder, laterName)).mode & 0o777, 0o600)
      const { keys, damaged } = files.read()
      assert.deepEqual(keys.map(({ id }) => id).sort(), [keyIdOf(first), keyIdOf(first), keyIdOf(later)].sort())
      assert.deepEqual(damaged, [join(folder, 'master-broken.key')])
      await files.sync(keyIdOf(later))
      await files.remove(keyIdOf(first))
      await files.remove(keyIdOf(first))
      assert.deepEqual(readdirSync(folder).sort(), ['database-password', laterName, 'master-broken.key'].sort())
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
