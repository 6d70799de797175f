import type { Platform, PlatformCheck } from '@gantry/api'
import type { MasterKeyRow } from '../access/index.ts'
import type { KeyRotationId } from '../kernel/ids.ts'

/**
 * - `preparing`: the new key is named, made and written to its file; nothing is sealed with it.
 * - `resealing`: it seals what is new; what the old key has sealed is sealed anew, batch by batch.
 * - `removing`: nothing needs the old key, and nothing can be sealed with it any more; its file goes.
 */
export const keyRotationStatuses = ['preparing', 'resealing', 'removing', 'finished'] as const
export type KeyRotationStatus = (typeof keyRotationStatuses)[number]

export interface KeyRotation {
  readonly id: KeyRotationId
  readonly status: KeyRotationStatus
  readonly oldKeyId: string
  readonly newKeyId: string | null
  /** What had to be sealed anew when the new key took over. */
  readonly valueCount: number
  /** What the old key does not open, so that it is kept. */
  readonly unreadableCount: number
  readonly finishedAt: Date | null
}

/** How the master key is, in numbers. */
export interface MasterKeyFacts {
  readonly key: MasterKeyRow
  /** Values that it has sealed. */
  readonly sealed: number
  /** The last rotation, open or not. */
  readonly rotation: KeyRotation | undefined
  /** Values that need the key before. */
  readonly left: number
  /** Whether its file is where it belongs. */
  readonly isOnDisk: boolean
}

/** Before an open rotation only: a finished one has no values left. */
export function isRotating({ rotation }: MasterKeyFacts): boolean {
  return rotation !== undefined && rotation.finishedAt === null
}

export function masterKeyResource(facts: MasterKeyFacts): Platform['master_key'] {
  return {
    id: facts.key.id,
    status: isRotating(facts) ? 'rotating' : 'settled',
    created_at: facts.key.createdAt.toISOString(),
    values_left: facts.left,
  }
}

/** The key in a sentence, with what to do. */
export function judgeMasterKey(facts: MasterKeyFacts): Omit<PlatformCheck, 'name'> {
  const { key, sealed, rotation, left, isOnDisk } = facts
  if (!isOnDisk) {
    const message =
      `the file of the master key ${key.id} is gone from keys/: put it back from the backup before the control plane restarts, ` +
      'or rotate the key now, while this one still has it (gantry platform rotate-key)'
    return { status: 'failed', message }
  }
  if (!rotation || !isRotating(facts)) {
    const since = `${key.createdAt.toISOString().slice(0, 10)}`
    return { status: 'ok', message: `${key.id} encrypts ${values(sealed)}, since ${since}` }
  }
  if (rotation.unreadableCount > 0) {
    const message =
      `rotated to ${key.id}, but the key before, ${rotation.oldKeyId}, is kept: ${values(rotation.unreadableCount)} of config cannot ` +
      'be opened with it and are damaged. log/server.log names them; with their environments deleted, the rotation ends by itself'
    return { status: 'warning', message }
  }
  if (rotation.status === 'preparing')
    return { status: 'ok', message: `${key.id} is being rotated: the new key is made` }
  const done = Math.max(0, rotation.valueCount - left)
  const progress = `${done} of ${values(rotation.valueCount)} are encrypted with the new key, ${key.id}`
  return { status: 'ok', message: `is being rotated: ${progress}` }
}

function values(count: number): string {
  return count === 1 ? 'one value' : `${count} values`
}
