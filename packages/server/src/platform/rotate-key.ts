import {
  deleteMasterKey,
  type KeyFiles,
  type KeyRing,
  keyIdOf,
  replaceCurrentMasterKey,
  selectMasterKeys,
} from '../access/index.ts'
import { countSealedWith, resealConfig, type SealedPlace } from '../apps/index.ts'
import type { Database } from '../db/database.ts'
import type { Clock } from '../kernel/clock.ts'
import { isSystemError } from '../kernel/errors.ts'
import type { Failpoint } from '../kernel/failpoint.ts'
import type { NewId } from '../kernel/ids.ts'
import type { Logger } from '../kernel/logger.ts'
import type { Work, WorkHandler } from '../work/work.ts'
import type { KeyRotationFailpoint } from './failpoints.ts'
import type { KeyRotation, MasterKeyFacts } from './key-rotation.ts'
import {
  insertKeyRotation,
  moveKeyRotation,
  selectKeyRotation,
  selectLastKeyRotation,
  selectOpenKeyRotation,
  setNewKey,
  setUnreadableCount,
} from './key-rotation-store.ts'

export interface KeyRotationDeps {
  readonly db: Database
  readonly clock: Clock
  readonly newId: NewId
  readonly work: Work
  readonly log: Logger
  readonly ring: KeyRing
  readonly files: KeyFiles
  readonly randomBytes: (size: number) => Uint8Array
  readonly failpoint: Failpoint<KeyRotationFailpoint>
  /** Values sealed anew in one transaction. */
  readonly batchSize: number
}

export const defaultBatchSize = 100

/** Damaged values are looked for again this much later: their environment may have been deleted. */
const lookAgainMs = 60 * 60_000

export interface KeyRotations {
  /** Begins a rotation, or joins the one that goes on. */
  request(requestedBy: string): Promise<void>
  facts(): Promise<MasterKeyFacts>
  /** Work `rotate_key`. */
  readonly handleRotation: WorkHandler
}

export function createKeyRotations(deps: KeyRotationDeps): KeyRotations {
  return {
    request: (requestedBy) => requestRotation(deps, requestedBy),
    facts: () => readFacts(deps),
    handleRotation: (_item, signal) => rotate(deps, signal),
  }
}

async function requestRotation({ db, clock, newId, work }: KeyRotationDeps, requestedBy: string): Promise<void> {
  await db.transaction(async (tx) => {
    await insertKeyRotation(tx, { id: newId('keyRotation'), requestedBy, at: clock.now() })
    await work.enqueue(tx, 'rotate_key', 'platform')
  })
}

async function readFacts({ db, files }: KeyRotationDeps): Promise<MasterKeyFacts> {
  const [[key], rotation] = await Promise.all([selectMasterKeys(db), selectLastKeyRotation(db)])
  if (!key) throw new Error('the database has no master key')
  const isOpen = rotation?.finishedAt === null
  const [sealed, left] = await Promise.all([
    countSealedWith(db, key.id),
    isOpen ? countSealedWith(db, rotation.oldKeyId) : 0,
  ])
  return { key, sealed, rotation, left, isOnDisk: files.read().keys.some(({ id }) => id === key.id) }
}

/** Goes on from what the row says, whoever wrote it, until the rotation is at its end. Every step may happen twice. */
async function rotate(deps: KeyRotationDeps, signal: AbortSignal): ReturnType<WorkHandler> {
  for (;;) {
    signal.throwIfAborted()
    const rotation = await selectOpenKeyRotation(deps.db)
    if (!rotation) return { kind: 'done' }
    if (rotation.status === 'preparing') await prepare(deps, rotation)
    else if (rotation.status === 'removing') await removeOldKey(deps, rotation)
    else if (!(await reseal(deps, rotation, signal))) return { kind: 'again', afterMs: lookAgainMs }
  }
}

/** The key is named in the row before its file is made, and its file is on disk before anything is sealed with it. */
async function prepare(deps: KeyRotationDeps, rotation: KeyRotation): Promise<void> {
  const made = deps.files.read().keys.find(({ id }) => id === rotation.newKeyId)
  if (made) return await switchTo(deps, rotation, made)
  const key = deps.randomBytes(32)
  const id = keyIdOf(key)
  if (!(await setNewKey(deps.db, rotation, id))) return
  deps.failpoint('key_rotation.key.before')
  await deps.files.write(key, 'later')
  deps.failpoint('key_rotation.key.after')
  // another process may have named a key of its own meanwhile: then this one will never be used
  if ((await selectKeyRotation(deps.db, rotation.id))?.newKeyId !== id) await deps.files.remove(id)
}

async function switchTo(
  { db, clock, files, ring, failpoint, log }: KeyRotationDeps,
  rotation: KeyRotation,
  { id, key }: { readonly id: string; readonly key: Uint8Array },
): Promise<void> {
  await files.sync(id) // who wrote it may have ended before it was safe
  ring.add(key)
  const isOurs = await db.transaction(async (tx) => {
    const valueCount = await countSealedWith(tx, rotation.oldKeyId)
    if (!(await moveKeyRotation(tx, rotation, 'resealing', { valueCount }))) return false
    await replaceCurrentMasterKey(tx, id, clock.now())
    failpoint('key_rotation.switch.before')
    return true
  })
  failpoint('key_rotation.switch.after')
  if (!isOurs) return
  ring.use(id)
  log.info({ oldKeyId: rotation.oldKeyId, newKeyId: id }, 'the master key is being rotated')
}

/** False when values are left that the old key does not open: then it is kept. */
async function reseal(deps: KeyRotationDeps, rotation: KeyRotation, signal: AbortSignal): Promise<boolean> {
  useNewKey(deps, rotation)
  const unreadable = await resealAll(deps, rotation, signal)
  if (unreadable.length > 0) {
    const { oldKeyId } = rotation
    deps.log.error(
      { oldKeyId, values: unreadable.slice(0, 100) },
      'values of config cannot be opened: their key is kept',
    )
    await setUnreadableCount(deps.db, rotation, unreadable.length)
    return false
  }
  await retire(deps, rotation)
  return true
}

/** A process that did not make the key itself, or that was started before it was made. */
function useNewKey({ ring, files }: KeyRotationDeps, { newKeyId }: KeyRotation): void {
  if (newKeyId === null || ring.current === newKeyId) return
  const made = files.read().keys.find(({ id }) => id === newKeyId)
  if (!made && !ring.has(newKeyId))
    throw new Error(`the file of the master key ${newKeyId} is gone from ${files.folder}`)
  if (made) ring.add(made.key)
  ring.use(newKeyId)
}

async function resealAll(
  { db, ring, failpoint, batchSize }: KeyRotationDeps,
  { oldKeyId: keyId }: KeyRotation,
  signal: AbortSignal,
): Promise<readonly SealedPlace[]> {
  const unreadable: SealedPlace[] = []
  let after: SealedPlace | undefined
  for (;;) {
    signal.throwIfAborted()
    const request = { keyId, after, limit: batchSize }
    const batch = await db.transaction(async (tx) => {
      const done = await resealConfig(tx, ring, request)
      failpoint('key_rotation.batch.before')
      return done
    })
    failpoint('key_rotation.batch.after')
    if (!batch.last) return unreadable
    unreadable.push(...batch.unreadable.map(({ configId, name, environmentId }) => ({ configId, name, environmentId })))
    after = batch.last
  }
}

/** From this commit on the database takes nothing more that the old key has sealed. */
async function retire({ db, failpoint }: KeyRotationDeps, rotation: KeyRotation): Promise<void> {
  try {
    await db.transaction(async (tx) => {
      if (!(await moveKeyRotation(tx, rotation, 'removing'))) return
      await deleteMasterKey(tx, rotation.oldKeyId)
      failpoint('key_rotation.retire.before')
    })
  } catch (error) {
    // a value came in meanwhile from who had not noticed the new key: the next round seals it anew
    if (!isSystemError(error, '23503')) throw error
  }
  failpoint('key_rotation.retire.after')
}

async function removeOldKey(deps: KeyRotationDeps, rotation: KeyRotation): Promise<void> {
  const { db, clock, ring, files, failpoint, log } = deps
  const { oldKeyId, newKeyId } = rotation
  useNewKey(deps, rotation)
  failpoint('key_rotation.remove.before')
  await files.remove(oldKeyId)
  failpoint('key_rotation.remove.after')
  ring.drop(oldKeyId)
  await db.transaction(async (tx) => {
    await moveKeyRotation(tx, rotation, 'finished', { finishedAt: clock.now() })
    failpoint('key_rotation.finish.before')
  })
  failpoint('key_rotation.finish.after')
  log.info({ oldKeyId, newKeyId }, 'the master key was rotated')
}
