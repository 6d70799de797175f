import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  lchownSync,
  lstatSync,
  openSync,
  readdirSync,
  type Stats,
} from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import { isSystemError } from '../../kernel/errors.ts'
import { Refusal } from '../protocol.ts'
import { bytesInFolder, inFolder, openFolderAt } from './safe-path.ts'

/** What a walk does with an entry. `fd` is open on it, except for a symbolic link, which `path` names without following. */
export interface Visitor {
  folder(fd: number, stats: Stats): void
  /** `name` is for messages. */
  file(fd: number, stats: Stats, name: string): void
  link(path: Buffer): void
}

const deepest = 200
/** Below the folder: what is before it, where an instance has its copy, must fit into Linux's 4096 too. */
const longestPath = 3072
const entriesPerTurn = 256

/**
 * Visits a whole tree, contents before their folder, without ever following a link or leaving it, whatever somebody does
 * in the tree meanwhile: every step goes through an open descriptor. Lets others run after each 256 entries.
 * Refuses (`SpecRejected`) pipes, sockets, devices, trees deeper than 200 folders, and paths that nobody could open.
 */
export async function walkTree(folderPath: string, shown: string, visitor: Visitor): Promise<void> {
  let turn = 0
  const longest = Buffer.byteLength(shown) + longestPath
  const visit = async (path: string | Buffer, name: string, depth: number): Promise<void> => {
    if (depth > deepest) throw new Refusal('SpecRejected', `${name} is more than ${deepest} folders deep`)
    if (Buffer.byteLength(name) > longest) throw new Refusal('SpecRejected', `${name} is too long for a path`)
    const fd = openFolderAt(path)
    try {
      for (const entry of readdirSync(inFolder(fd, '.'), { withFileTypes: true, encoding: 'buffer' })) {
        const child = bytesInFolder(fd, entry.name)
        const childName = `${name}/${entry.name}`
        if (entry.isDirectory()) await visit(child, childName, depth + 1)
        else if (entry.isSymbolicLink()) visitor.link(child)
        else visitFile(child, childName, visitor)
        if (++turn % entriesPerTurn === 0) await setImmediate()
      }
      visitor.folder(fd, fstatSync(fd))
    } finally {
      closeSync(fd)
    }
  }
  await visit(folderPath, shown, 0)
}

const openFile = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY

function visitFile(path: Buffer, name: string, visitor: Visitor): void {
  if (!lstatSync(path).isFile()) throw new Refusal('SpecRejected', `${name} is neither file, folder nor link`)
  const fd = openSync(path, openFile)
  try {
    const stats = fstatSync(fd)
    if (!stats.isFile()) throw new Refusal('SpecRejected', `${name} is neither file, folder nor link`)
    visitor.file(fd, stats, name)
  } finally {
    closeSync(fd)
  }
}

export interface Owner {
  readonly uid: number
  readonly gid: number
}

/** Gives a tree to an owner; modes stay but for set-uid and set-gid. The top folder becomes private to them. */
export function ownVisitor(owner: Owner | undefined): Visitor {
  return {
    folder(fd) {
      if (owner) fchownSync(fd, owner.uid, owner.gid)
      fchmodSync(fd, 0o700)
    },
    file(fd, stats) {
      if (owner) fchownSync(fd, owner.uid, owner.gid)
      fchmodSync(fd, (stats.mode & 0o777) | 0o600)
    },
    link(path) {
      if (owner) lchownIfThere(path, owner)
    },
  }
}

/**
 * Makes a tree read-only: nobody writes a file of it, the group reads it, others see nothing. A file of anybody else but
 * its `makers` got in by a hard link (which not every kernel forbids), and is refused: it would change hands.
 */
export function sealVisitor(owner: Owner | undefined, makers: readonly number[]): Visitor {
  return {
    folder(fd) {
      if (owner) fchownSync(fd, owner.uid, owner.gid)
      fchmodSync(fd, 0o750)
    },
    file(fd, stats, name) {
      if (owner && !makers.includes(stats.uid)) throw new Refusal('SpecRejected', `${name} belongs to somebody else`)
      if (owner) fchownSync(fd, owner.uid, owner.gid)
      fchmodSync(fd, stats.mode & 0o111 ? 0o550 : 0o440)
    },
    link(path) {
      if (owner) lchownIfThere(path, owner)
    },
  }
}

function lchownIfThere(path: Buffer, owner: Owner): void {
  try {
    lchownSync(path, owner.uid, owner.gid)
  } catch (error) {
    if (!isSystemError(error, 'ENOENT')) throw error
  }
}
