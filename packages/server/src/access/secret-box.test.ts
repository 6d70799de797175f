import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { createTestDatabase } from '../../test/support/database.ts'
import { openSecretBox } from './master-key.ts'
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

  it('keeps its key in a private file, and refuses to start with another one or none', async () => {
    const test = await createTestDatabase()
    const folder = await mkdtemp(join(tmpdir(), 'gantry-test-'))
    const deps = { db: test.db, path: join(folder, 'master.key'), randomBytes }
    const sealed = (await openSecretBox(deps)).seal('secret', context)
    assert.equal((await stat(deps.path)).mode & 0o777, 0o600)
    assert.equal((await openSecretBox(deps)).open(sealed, context), 'secret')

    const right = await readFile(deps.path)
    await writeFile(deps.path, randomBytes(32).toString('hex'))
    await assert.rejects(openSecretBox(deps), { code: 'wrong_master_key', message: /another one.*Put that file back/ })
    await rm(deps.path)
    await assert.rejects(openSecretBox(deps), { code: 'wrong_master_key', message: /no key/ })
    await writeFile(deps.path, 'nonsense')
    await assert.rejects(openSecretBox(deps), { code: 'wrong_master_key' })
    await writeFile(deps.path, right)
    assert.equal((await openSecretBox(deps)).open(sealed, context), 'secret')
    await rm(folder, { recursive: true })
    await test.close()
  })
})
