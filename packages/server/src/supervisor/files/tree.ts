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
import { inFolder, openFolderAt } from './safe-path.ts'

/** What a walk does with an entry. `fd` is open on it, except for a symbolic link, which `path` names without following. */
export interface Visitor {
  folder(fd: number, stats: Stats): void
  file(fd: number, stats: Stats): void
  link(path: string): void
}

const deepest = 200
const entriesPerTurn = 256

/**
 * Visits a whole tree, contents before their folder, without ever following a link or leaving it, whatever somebody does
 * in the tree meanwhile: every step goes through an open descriptor. Lets others run after each 256 entries.
 * Refuses (`SpecRejected`) pipes, sockets, devices, and trees deeper than 200 folders.
 */
export async function walkTree(folderPath: string, shown: string, visitor: Visitor): Promise<void> {
  let turn = 0
  const visit = async (path: string, name: string, depth: number): Promise<void> => {
    if (depth > deepest) throw new Refusal('SpecRejected', `${name} is more than ${deepest} folders deep`)
    const fd = openFolderAt(path)
    try {
      for (const entry of readdirSync(inFolder(fd, '.'), { withFileTypes: true })) {
        const child = inFolder(fd, entry.name)
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

function visitFile(path: string, name: string, visitor: Visitor): void {
  if (!lstatSync(path).isFile()) throw new Refusal('SpecRejected', `${name} is neither file, folder nor link`)
  const fd = openSync(path, openFile)
  try {
    const stats = fstatSync(fd)
    if (!stats.isFile()) throw new Refusal('SpecRejected', `${name} is neither file, folder nor link`)
    visitor.file(fd, stats)
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

/** Makes a tree read-only: nobody writes a file of it, the group reads it, others see nothing. */
export function sealVisitor(owner: Owner | undefined): Visitor {
  return {
    folder(fd) {
      if (owner) fchownSync(fd, owner.uid, owner.gid)
      fchmodSync(fd, 0o750)
    },
    file(fd, stats) {
      if (owner) fchownSync(fd, owner.uid, owner.gid)
      fchmodSync(fd, stats.mode & 0o111 ? 0o550 : 0o440)
    },
    link(path) {
      if (owner) lchownIfThere(path, owner)
    },
  }
}

function lchownIfThere(path: string, owner: Owner): void {
  try {
    lchownSync(path, owner.uid, owner.gid)
  } catch (error) {
    if (!isSystemError(error, 'ENOENT')) throw error
  }
}
