import { chmod, lstat, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { isSystemError } from '../kernel/errors.ts'
import type { FolderOwner } from './builds-deps.ts'

/** Where everything has one uid, as with an ordinary user and no supervisor: only modes change hands. */
export const singleUserFolders: FolderOwner = {
  give: async (path) => await setModes(path, (mode) => mode | 0o200),
  seal: async (path) => await setModes(path, (mode, isFolder) => (isFolder ? 0o750 : mode & 0o100 ? 0o550 : 0o440)),
  remove: async (path) => await rm(path, { recursive: true, force: true }),
}

async function setModes(path: string, modeFor: (mode: number, isFolder: boolean) => number): Promise<void> {
  try {
    const { mode } = await lstat(path)
    await chmod(path, modeFor(mode & 0o777, true))
    for (const entry of await readdir(path, { withFileTypes: true })) {
      const inner = join(path, entry.name)
      if (entry.isDirectory()) await setModes(inner, modeFor)
      else if (entry.isFile()) await chmod(inner, modeFor((await lstat(inner)).mode & 0o777, false))
    }
  } catch (error) {
    if (!isSystemError(error, 'ENOENT')) throw error
  }
}
