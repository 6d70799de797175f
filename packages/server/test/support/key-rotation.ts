import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createKeyFiles, type KeyFiles, type KeyRing, openKeyRing } from '../../src/access/index.ts'
import { systemClock } from '../../src/kernel/clock.ts'
import { silentLogger } from '../../src/kernel/logger.ts'
import { createKeyRotations, type KeyRotationDeps, type KeyRotations } from '../../src/platform/rotate-key.ts'
import { newId, testMasterKey } from './access.ts'
import { createDeliveryWorld, type DeliveryWorld } from './delivery.ts'

/** A database with config of two environments, and the folder with the key that it is sealed with. */
export interface KeyWorld {
  readonly world: DeliveryWorld
  readonly folder: string
  readonly files: KeyFiles
  /** The keys as a control plane that starts now has them. */
  openRing(): Promise<KeyRing>
  createRotations(options?: Partial<KeyRotationDeps>): Promise<KeyRotations>
  /** What the ring reads of every value, by configuration and name. */
  read(ring: KeyRing): Promise<Record<string, string>>
  /** The keys that values are sealed with, each with how many. */
  sealedWith(): Promise<Record<string, number>>
  /** Writes a value as somebody does who has this ring. */
  insert(ring: Pick<KeyRing, 'seal'>, name: string, value: string): Promise<void>
  keyNames(): Promise<readonly string[]>
  close(): Promise<void>
}

interface StoredValue {
  config_id: string
  name: string
  environment_id: string
  ciphertext: Buffer
}

export async function createKeyWorld(): Promise<KeyWorld> {
  const world = await createDeliveryWorld()
  const folder = await mkdtemp(join(tmpdir(), 'gantry-test-keys-'))
  const files = createKeyFiles(folder)
  await files.write(testMasterKey, 'first')
  for (const name of ['shop', 'blog']) {
    const { environmentId } = await world.createApp(name)
    await world.setConfig(environmentId, { A: `${name} a`, B: 'ünïcode 🚀', C: '', D: 'x'.repeat(20_000) })
    await world.setConfig(environmentId, { A: `${name} changed`, B: null })
  }
  const { db } = world
  const openRing = () => openKeyRing({ db, clock: systemClock, files, randomBytes })
  const stored = () =>
    db.query<StoredValue>(
      `select v.config_id, v.name, c.environment_id, v.ciphertext
       from config_values v join configs c on c.id = v.config_id order by v.config_id, v.name`,
    )
  return {
    world,
    folder,
    files,
    openRing,
    createRotations: async (options) => createKeyRotations({ ...(await rotationDeps()), ...options }),
    async read(ring) {
      const values = await stored()
      const open = (value: StoredValue) =>
        ring.open(value.ciphertext, { environmentId: value.environment_id, name: value.name })
      return Object.fromEntries(values.map((value) => [`${value.config_id} ${value.name}`, open(value)]))
    },
    async sealedWith() {
      const rows = await db.query<{ id: string; count: number }>(
        'select key_id as id, count(*) as count from config_values group by key_id',
      )
      return Object.fromEntries(rows.map(({ id, count }) => [id, count]))
    },
    async insert(ring, name, value) {
      const [config] = await stored()
      assert.ok(config)
      const ciphertext = Buffer.from(ring.seal(value, { environmentId: config.environment_id, name }))
      await db.query('insert into config_values (config_id, name, ciphertext) values ($1, $2, $3)', [
        config.config_id,
        name,
        ciphertext,
      ])
    },
    keyNames: async () => (await readdir(folder)).sort(),
    async close() {
      await rm(folder, { recursive: true })
      await world.close()
    },
  }

  async function rotationDeps(): Promise<KeyRotationDeps> {
    return {
      db,
      clock: systemClock,
      newId,
      work: { enqueue: async () => undefined },
      log: silentLogger,
      ring: await openRing(),
      files,
      randomBytes,
      failpoint: () => undefined,
      batchSize: 3,
    }
  }
}
