import { closeSync, constants, openSync } from 'node:fs'
import { isAbsolute, join, relative } from 'node:path'
import { isSystemError } from '../../kernel/errors.ts'
import { Refusal } from '../protocol.ts'

/** The folders below GANTRY_HOME that a verb may name paths in. */
export type Root = 'builds' | 'artifacts' | 'layers' | 'run/instances' | 'toolchains'

/** A name in an open folder. Paths through `/proc/self/fd` cannot be redirected by whoever may write in a parent folder. */
export interface Entry {
  readonly folderFd: number
  readonly name: string
  /** `/proc/self/fd/<folderFd>/<name>` */
  readonly path: string
}

const openFolder = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW

/**
 * Opens the parent of a path below one of the roots, component by component, following no symbolic link on the way, and
 * calls `use` with the last component, which may be anything or missing. GANTRY_HOME itself is trusted.
 * Rejects with `SpecRejected` for a path elsewhere, or one that goes through a link.
 */
export async function withEntry<T>(
  home: string,
  roots: readonly Root[],
  path: string,
  use: (entry: Entry) => T | Promise<T>,
): Promise<Awaited<T>> {
  const { root, names } = splitPath(home, roots, path)
  const opened: number[] = []
  try {
    let fd = openSync(join(home, root), openFolder)
    opened.push(fd)
    for (const name of names.slice(0, -1)) {
      fd = openIn(fd, name, path)
      opened.push(fd)
    }
    const name = names.at(-1) ?? ''
    return await use({ folderFd: fd, name, path: inFolder(fd, name) })
  } finally {
    for (const fd of opened) closeSync(fd)
  }
}

export function inFolder(folderFd: number, name: string): string {
  return `/proc/self/fd/${folderFd}/${name}`
}

/** `inFolder` for the names that a tree brought: they are bytes, and need not be UTF-8. */
export function bytesInFolder(folderFd: number, name: Buffer): Buffer {
  return Buffer.concat([Buffer.from(inFolder(folderFd, '')), name])
}

/** Opens a folder that must be one and not a link to one. */
export function openFolderAt(path: string | Buffer): number {
  return openSync(path, openFolder)
}

function openIn(fd: number, name: string, path: string): number {
  try {
    return openSync(inFolder(fd, name), openFolder)
  } catch (error) {
    if (isSystemError(error, 'ELOOP', 'ENOTDIR')) throw new Refusal('SpecRejected', `${path} goes through a link`)
    throw error
  }
}

/** Pure: which root a path is below, and the components after it; at least one. */
export function splitPath(home: string, roots: readonly Root[], path: string): { root: Root; names: string[] } {
  const rest = relative(home, path)
  const root = roots.find((candidate) => rest.startsWith(`${candidate}/`))
  const names = root === undefined ? [] : rest.slice(root.length + 1).split('/')
  const plain = isAbsolute(path) && !path.includes('\0') && !/(^|\/)\.\.?(\/|$)/.test(path)
  if (!plain || root === undefined || names.length === 0) {
    throw new Refusal('SpecRejected', `${path} is not below ${roots.join('/, ')}/ of Gantry's folder`)
  }
  return { root, names }
}
