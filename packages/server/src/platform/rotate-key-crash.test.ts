import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { testMasterKey, testSecrets } from '../../test/support/access.ts'
import { createKeyWorld, type KeyWorld } from '../../test/support/key-rotation.ts'
import { runArgv, spawnArgv } from '../kernel/spawn-argv.ts'
import { keyRotationFailpoints } from './failpoints.ts'

const fixture = fileURLToPath(new URL('./rotate-key.fixture.ts', import.meta.url))

let keys: KeyWorld
let values: Record<string, string>
beforeEach(async () => {
  keys = await createKeyWorld()
  values = await keys.read(await keys.openRing())
  assert.equal(Object.keys(values).length, 14)
})
afterEach(() => keys.close())

/** Runs a control plane until the rotation has ended or a failpoint has killed it. */
async function run(failpoints: readonly string[], ...request: readonly 'request'[]): Promise<number | null> {
  const file = join(keys.folder, 'failpoints')
  await writeFile(file, failpoints.join('\n'))
  const { url } = keys.world.database
  const argv = ['--conditions=gantry-source', fixture, url, keys.folder, file, ...request]
  const { exitCode, stderr } = await runArgv(spawnArgv, process.execPath, argv, {
    env: { PATH: process.env.PATH ?? '' },
  })
  assert.equal(stderr, '')
  return exitCode
}

async function assertRotated(): Promise<void> {
  const ring = await keys.openRing()
  assert.notEqual(ring.current, testSecrets.keyId)
  assert.deepEqual(await keys.read(ring), values)
  assert.deepEqual(await keys.sealedWith(), { [ring.current]: 14 })
  const names = (await keys.keyNames()).filter((name) => name.endsWith('.key'))
  assert.deepEqual(names, [`master-${ring.current}.key`])
  assert.equal((await keys.world.db.query('select 1 from master_keys')).length, 1)
  assert.equal((await keys.world.db.query('select 1 from key_rotations where finished_at is null')).length, 0)

  await keys.files.remove(ring.current)
  await keys.files.write(testMasterKey, 'first')
  await assert.rejects(keys.openRing(), { code: 'wrong_master_key', message: new RegExp(`master key ${ring.current}`) })
}

describe('a rotation of the master key', () => {
  it('ends with a new key, and the old one alone is refused', async () => {
    assert.equal(await run([], 'request'), 0)
    await assertRotated()
  })

  for (const name of keyRotationFailpoints) {
    it(`goes on after kill -9 at ${name}, every value readable meanwhile`, async () => {
      assert.notEqual(await run([name], 'request'), 0)
      assert.deepEqual(await keys.read(await keys.openRing()), values)
      assert.equal(await run([]), 0)
      await assertRotated()
    })
  }

  it('survives a kill at every step, one after the other', async () => {
    for (const [step, name] of keyRotationFailpoints.entries()) {
      assert.notEqual(await run([name], ...(step === 0 ? (['request'] as const) : [])), 0, name)
      assert.deepEqual(await keys.read(await keys.openRing()), values)
    }
    assert.equal(await run([]), 0)
    await assertRotated()
  })
})
