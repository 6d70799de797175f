import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, it } from 'node:test'
import { createSecretBox, SecretUnreadable } from './secret-box.ts'

const context = { environmentId: 'env-1', name: 'API_KEY' }

describe('the secret box', () => {
  it('opens what it sealed, and every seal is another one', () => {
    const box = createSecretBox(randomBytes(32), randomBytes)
    for (const plain of ['', 'x', 'ünïcode 🚀', 'a'.repeat(32_768)]) {
      assert.equal(box.open(box.seal(plain, context), context), plain)
    }
    assert.notDeepEqual(box.seal('x', context), box.seal('x', context))
  })

  it('opens nothing that was moved, changed, cut or sealed by another key', () => {
    const box = createSecretBox(randomBytes(32), randomBytes)
    const sealed = box.seal('secret', context)
    assert.throws(() => box.open(sealed, { ...context, name: 'OTHER' }), SecretUnreadable)
    assert.throws(() => box.open(sealed, { ...context, environmentId: 'env-2' }), SecretUnreadable)
    for (let i = 0; i < sealed.length; i++) {
      const damaged = Uint8Array.from(sealed)
      damaged[i] = (damaged[i] ?? 0) ^ 1
      assert.throws(() => box.open(damaged, context), SecretUnreadable, `byte ${i}`)
      assert.throws(() => box.open(sealed.subarray(0, i), context), SecretUnreadable, `length ${i}`)
    }
    assert.throws(() => createSecretBox(randomBytes(32), randomBytes).open(sealed, context), /another master key/)
  })
})
