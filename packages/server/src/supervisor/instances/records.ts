import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeFileAtomically } from '../../kernel/atomic-file.ts'
import { messageOf } from '../../kernel/errors.ts'
import type { Logger } from '../../kernel/logger.ts'
import { type ExitRecord, Refusal, type SpawnOutput, type SpawnPlace, type TaskLimits } from '../protocol.ts'

/** What the supervisor knows of an instance or task and the next one must know. Holds no environment: no secrets. */
export interface InstanceRecord {
  readonly id: string
  readonly kind: 'instance' | 'task'
  readonly labels: Readonly<Record<string, string>>
  readonly output: SpawnOutput
  readonly runAs: { readonly uid: number; readonly gid: number }
  readonly place: SpawnPlace
  readonly task?: TaskLimits
  readonly bootId: string
  /** Absent in an intent: nothing is known to run yet. */
  readonly process?: ProcessRecord
  readonly exit?: ExitRecord
}

export interface ProcessRecord {
  readonly pid: number
  readonly startTicks: number
  /** RFC 3339. */
  readonly startedAt: string
}

/** `GANTRY_HOME/state/instances/<id>.json`. */
export interface Records {
  readAll(): InstanceRecord[]
  /**
   * Whole or not at all for a supervisor that is killed. Not flushed to disk: when the machine itself goes down, so does
   * everything that runs, and a record that is missing then says the same as one of another boot.
   */
  writeRunning(record: InstanceRecord): void
  /** Flushed: an exit status, once shown, stays. */
  writeEnded(record: InstanceRecord): Promise<void>
  remove(id: string): void
}

export function isRecordId(id: unknown): id is string {
  return typeof id === 'string' && /^[a-z][a-z0-9-]{2,99}$/.test(id)
}

export function openRecords(folder: string, log: Logger): Records {
  const pathOf = (id: string): string => {
    if (!isRecordId(id)) throw new Refusal('SpecRejected', `not an id: ${JSON.stringify(id)}`)
    return join(folder, `${id}.json`)
  }
  return {
    readAll: () =>
      readdirSync(folder).flatMap((name) => {
        if (!name.endsWith('.json')) {
          rmSync(join(folder, name), { force: true }) // a temporary file of a supervisor that was killed
          return []
        }
        return readRecord(join(folder, name), log) ?? []
      }),
    writeRunning(record) {
      const path = pathOf(record.id)
      writeFileSync(`${path}.tmp`, JSON.stringify(record), { mode: 0o600 })
      renameSync(`${path}.tmp`, path)
    },
    writeEnded: (record) => writeFileAtomically(pathOf(record.id), JSON.stringify(record)),
    remove: (id) => rmSync(pathOf(id), { force: true }),
  }
}

function readRecord(path: string, log: Logger): InstanceRecord | undefined {
  try {
    const record: InstanceRecord = JSON.parse(readFileSync(path, 'utf8'))
    if (isRecordId(record.id) && typeof record.bootId === 'string') return record
  } catch (error) {
    log.warn({ path, cause: messageOf(error) }, 'a record cannot be read')
  }
  rmSync(path, { force: true }) // torn by a power cut; what it spoke of has ended with it
  return undefined
}
