import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { testSecrets } from '../../test/support/access.ts'
import { createKeyWorld, type KeyWorld } from '../../test/support/key-rotation.ts'
import type { WorkItem } from '../work/work.ts'
import type { KeyRotationFailpoint } from './failpoints.ts'
import { judgeMasterKey, masterKeyResource } from './key-rotation.ts'
import type { KeyRotations } from './rotate-key.ts'

let keys: KeyWorld
beforeEach(async () => {
  keys = await createKeyWorld()
})
afterEach(() => keys.close())

const item: WorkItem = { kind: 'rotate_key', subject: 'platform', fence: 1, attempt: 1 }
const finish = (rotations: KeyRotations) => rotations.handleRotation(item, new AbortController().signal)
const stopAt = (name: KeyRotationFailpoint) => ({
  failpoint(reached: KeyRotationFailpoint) {
    if (reached === name) throw new Error('stopped')
  },
})

/** Rotates until the failpoint is reached. */
async function rotateTo(name: KeyRotationFailpoint): Promise<KeyRotations> {
  const rotations = await keys.createRotations(stopAt(name))
  await rotations.request('owner')
  await assert.rejects(finish(rotations), /stopped/)
  return rotations
}

describe('rotating the master key', () => {
  it('is one rotation however often and by whoever it is asked for, and another one afterwards', async () => {
    const [one, two] = [await keys.createRotations(), await keys.createRotations()]
    await Promise.all([one.request('owner'), two.request('mia'), one.request('owner')])
    assert.equal(masterKeyResource(await two.facts()).status, 'rotating')
    await Promise.all([finish(one), finish(two)])
    const first = (await keys.openRing()).current
    assert.equal((await keys.world.db.query('select 1 from key_rotations')).length, 1)
    assert.deepEqual(await keys.keyNames(), [`master-${first}.key`])

    const again = await keys.createRotations()
    await again.request('owner')
    await finish(again)
    const second = (await keys.openRing()).current
    assert.ok(second !== first && second !== testSecrets.keyId)
    assert.deepEqual(await keys.sealedWith(), { [second]: 14 })
    assert.deepEqual(await keys.keyNames(), [`master-${second}.key`])
    assert.deepEqual(await finish(again), { kind: 'done' })
  })

  it('seals what is written meanwhile with the new key at once, and takes nothing of the old one in the end', async () => {
    const ring = await keys.openRing()
    const rotations = await keys.createRotations({ ring, ...stopAt('key_rotation.batch.after') })
    await rotations.request('owner')
    await assert.rejects(finish(rotations), /stopped/)
    assert.notEqual(ring.current, testSecrets.keyId)
    await keys.insert(ring, 'NEW', 'new')
    assert.deepEqual(await keys.sealedWith(), { [testSecrets.keyId]: 11, [ring.current]: 4 })
    const facts = await rotations.facts()
    assert.match(judgeMasterKey(facts).message, /3 of 14 values are encrypted with the new key/)
    assert.equal(masterKeyResource(facts).values_left, 11)

    // somebody who has not noticed: sealed anew before the old key goes, and refused after that
    await keys.insert(testSecrets, 'LATE', 'late')
    await finish(await keys.createRotations())
    assert.deepEqual(await keys.sealedWith(), { [ring.current]: 16 })
    assert.ok(Object.values(await keys.read(await keys.openRing())).includes('late'))
    await assert.rejects(keys.insert(testSecrets, 'LATER', 'too late'), /config_values_key_id_fkey/)
  })

  it('waits for a value that is being written with the old key, and seals it anew', async () => {
    const rotations = await rotateTo('key_rotation.switch.after')
    const written = Promise.withResolvers<void>()
    const [config] = await keys.world.db.query<{ id: string; environment_id: string }>('select * from configs limit 1')
    assert.ok(config)
    const sealed = Buffer.from(testSecrets.seal('slow', { environmentId: config.environment_id, name: 'SLOW' }))
    const inserted = Promise.withResolvers<void>()
    const writing = keys.world.db.transaction(async (tx) => {
      await tx.query("insert into config_values (config_id, name, ciphertext) values ($1, 'SLOW', $2)", [
        config.id,
        sealed,
      ])
      inserted.resolve()
      await written.promise
    })
    await inserted.promise
    const rotating = finish(await keys.createRotations())
    await waitUntilBlocked()
    written.resolve()
    await writing
    await rotating
    assert.ok(Object.values(await keys.read(await keys.openRing())).includes('slow'))
    assert.equal(masterKeyResource(await rotations.facts()).status, 'settled')
  })

  it('keeps the old key while a damaged value needs it, says so, and ends when that is gone', async () => {
    const { db } = keys.world
    await db.query(
      `update config_values set ciphertext = set_byte(ciphertext, 30, get_byte(ciphertext, 30) # 1) where name = 'D'`,
    )
    const rotations = await keys.createRotations()
    await rotations.request('owner')
    assert.equal((await finish(rotations)).kind, 'again')
    const judged = judgeMasterKey(await rotations.facts())
    assert.deepEqual([judged.status, /4 values of config cannot be opened/.test(judged.message)], ['warning', true])
    const ring = await keys.openRing()
    assert.deepEqual(await keys.sealedWith(), { [testSecrets.keyId]: 4, [ring.current]: 10 })
    assert.equal((await keys.keyNames()).length, 2)
    await db.query(`delete from config_values where name = 'D'`)
    assert.deepEqual(await finish(rotations), { kind: 'done' })
    assert.deepEqual(await keys.keyNames(), [`master-${ring.current}.key`])
  })

  it('makes another key when the file of the one that it named is not there, before anything is sealed', async () => {
    await rotateTo('key_rotation.key.before')
    assert.deepEqual(await keys.keyNames(), ['master.key'])
    await finish(await keys.createRotations())
    assert.deepEqual(await keys.keyNames(), [`master-${(await keys.openRing()).current}.key`])
  })

  it('saves a key whose file was removed while the control plane still had it', async () => {
    const rotations = await keys.createRotations()
    await keys.files.remove(testSecrets.keyId)
    assert.equal(judgeMasterKey(await rotations.facts()).status, 'failed')
    await rotations.request('owner')
    await finish(rotations)
    assert.equal(judgeMasterKey(await rotations.facts()).status, 'ok')
    assert.equal(Object.keys(await keys.read(await keys.openRing())).length, 14)
  })

  it('refuses to start without the old key in the middle, and names it', async () => {
    await rotateTo('key_rotation.batch.after')
    await keys.files.remove(testSecrets.keyId)
    await assert.rejects(keys.openRing(), { code: 'wrong_master_key', message: new RegExp(testSecrets.keyId) })
  })

  async function waitUntilBlocked(): Promise<void> {
    const deadline = Date.now() + 20_000
    for (;;) {
      const rows = await keys.world.db.query(
        "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
      )
      if (rows.length > 0) return
      assert.ok(Date.now() < deadline, 'the rotation never waited')
    }
  }
})
