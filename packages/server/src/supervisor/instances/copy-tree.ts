import {
  closeSync,
  constants,
  copyFileSync,
  fchmodSync,
  fchownSync,
  fstatSync,
  futimesSync,
  lchownSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeSync,
} from 'node:fs'
import { bytesInFolder, inFolder, openFolderAt } from '../files/safe-path.ts'
import type { Owner } from '../files/tree.ts'
import { Refusal } from '../protocol.ts'

/** Names are bytes: a tree may have some that are not UTF-8. */
type Path = string | Buffer

const smallBytes = 128 * 1024
const openSource = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY

/**
 * Copies a tree of few files into an empty folder: links as links, contents cloned where the file system can, times kept,
 * everything writable by its owner and by nobody else. Follows no link of the source. The target must be out of others' reach.
 */
export function copyTree(source: Path, target: Path, shown: string, owner: Owner | undefined): void {
  const fd = openFolderAt(source)
  try {
    for (const entry of readdirSync(inFolder(fd, '.'), { withFileTypes: true, encoding: 'buffer' })) {
      const from = bytesInFolder(fd, entry.name)
      const to = Buffer.concat([Buffer.from(target), Buffer.from('/'), entry.name])
      const name = `${shown}/${entry.name}`
      if (entry.isDirectory()) copyFolder(from, to, name, owner)
      else if (entry.isFile()) copyFile(from, to, name, owner)
      else if (entry.isSymbolicLink()) copyLink(from, to, owner)
      else throw new Refusal('SpecRejected', `${name} is neither file, folder nor link`)
    }
  } finally {
    closeSync(fd)
  }
}

function copyFolder(from: Path, to: Path, name: string, owner: Owner | undefined): void {
  mkdirSync(to, { mode: 0o700 })
  copyTree(from, to, name, owner)
  if (owner) lchownSync(to, owner.uid, owner.gid)
}

function copyLink(from: Path, to: Path, owner: Owner | undefined): void {
  symlinkSync(readlinkSync(from, 'buffer'), to)
  if (owner) lchownSync(to, owner.uid, owner.gid)
}

function copyFile(from: Path, to: Path, name: string, owner: Owner | undefined): void {
  const source = openSync(from, openSource)
  try {
    const stats = fstatSync(source)
    if (!stats.isFile()) throw new Refusal('SpecRejected', `${name} is neither file, folder nor link`)
    const large = stats.size > smallBytes
    if (large) copyFileSync(`/proc/self/fd/${source}`, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE)
    const target = openSync(to, large ? 'r' : 'wx', 0o600)
    try {
      if (!large && stats.size > 0) writeAll(target, readFileSync(source))
      fchmodSync(target, stats.mode & 0o111 ? 0o700 : 0o600)
      if (owner) fchownSync(target, owner.uid, owner.gid)
      futimesSync(target, stats.atimeMs / 1000, stats.mtimeMs / 1000)
    } finally {
      closeSync(target)
    }
  } finally {
    closeSync(source)
  }
}

function writeAll(fd: number, bytes: Buffer): void {
  for (let written = 0; written < bytes.length; ) written += writeSync(fd, bytes, written)
}
