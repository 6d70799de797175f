import { readdirSync, readFileSync } from 'node:fs'
import { open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { writeFileAtomically } from '../kernel/atomic-file.ts'
import { isSystemError } from '../kernel/errors.ts'
import { keyIdOf } from './secret-box.ts'

/** The folder `keys/` of the home, as far as master keys go: one private file each, 64 hexadecimal digits. */
export interface KeyFiles {
  readonly folder: string
  /** Every file `master*.key`, by name. What a file is called says nothing: a key's id is made from the key. */
  read(): KeyFolder
  /** Writes the installation's first key, `master.key`, or a later one, `master-<id>.key`. On disk when it resolves. */
  write(key: Uint8Array, which: 'first' | 'later'): Promise<void>
  /** Makes sure that the key's file is on disk, whoever wrote it. */
  sync(id: string): Promise<void>
  /** Removes every file that holds this key, and nothing else. */
  remove(id: string): Promise<void>
}

export interface KeyFolder {
  readonly keys: readonly KeyFile[]
  /** Paths of files that are called like a key's and hold none. */
  readonly damaged: readonly string[]
}

export interface KeyFile {
  readonly id: string
  readonly key: Uint8Array
  readonly path: string
}

/** A key is a file of its own, so that nobody who is late overwrites another one. */
export function createKeyFiles(folder: string): KeyFiles {
  const pathsOf = (id: string) => readKeyFolder(folder).keys.flatMap((file) => (file.id === id ? [file.path] : []))
  return {
    folder,
    read: () => readKeyFolder(folder),
    async write(key, which) {
      const name = which === 'first' ? 'master.key' : keyFileName(keyIdOf(key))
      await writeFileAtomically(join(folder, name), `${Buffer.from(key).toString('hex')}\n`, 0o600)
    },
    async sync(id) {
      for (const path of [...pathsOf(id), folder]) await syncPath(path)
    },
    async remove(id) {
      for (const path of pathsOf(id)) await rm(path, { force: true })
      await syncPath(folder)
    },
  }
}

/** What the file of a rotated key is called. */
export function keyFileName(id: string): string {
  return `master-${id}.key`
}

/** Few and small, and read where nothing may happen in between. */
function readKeyFolder(folder: string): KeyFolder {
  const keys: KeyFile[] = []
  const damaged: string[] = []
  for (const name of namesIn(folder)) {
    const path = join(folder, name)
    const text = readFileSync(path, 'utf8').trim()
    if (/^[0-9a-f]{64}$/.test(text)) {
      const key = Buffer.from(text, 'hex')
      keys.push({ id: keyIdOf(key), key, path })
    } else damaged.push(path)
  }
  return { keys, damaged }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => /^master.*\.key$/.test(name))
      .sort()
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return []
    throw error
  }
}

async function syncPath(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
