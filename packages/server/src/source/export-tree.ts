import { closeSync, constants, mkdirSync, openSync, symlinkSync, writeSync } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import {
  faultOfName,
  type Git,
  type ObjectHeader,
  type ObjectReader,
  type Oid,
  type TreeItem,
} from '../clients/git/index.ts'
import { isSystemError, UserError } from '../kernel/errors.ts'
import type { ExportedTree, SourceLimits } from './source.ts'

/** Work of one export. Paths are bytes, since names in a tree need not be UTF-8. */
interface Export {
  readonly reader: ObjectReader
  readonly limits: SourceLimits
  readonly links: { readonly path: Buffer; readonly target: Buffer }[]
  entries: number
  files: number
  bytes: number
}

const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants
const createOnly = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW
/** What Linux takes as the target of a link. */
const maxLinkBytes = 4095

/**
 * Writes a tree to disk over one process that is already running. Every folder and file must be new, and links are made
 * last, so nothing can be written through one. The folder appears when all of it is there.
 */
export async function exportTree(
  deps: { readonly git: Git; readonly limits: SourceLimits },
  path: string,
  tree: Oid,
  folder: string,
): Promise<ExportedTree> {
  const part = `${folder}.part`
  await rm(part, { recursive: true, force: true })
  await mkdir(part, { mode: 0o755 })
  try {
    const result = await deps.git.readObjects(path, async (reader) => {
      const work: Export = { reader, limits: deps.limits, links: [], entries: 0, files: 0, bytes: 0 }
      await writeFolders(work, tree, Buffer.from(part))
      for (const link of work.links) symlinkSync(link.target, link.path)
      return { fileCount: work.files, sizeBytes: work.bytes }
    })
    await rename(part, folder)
    return result
  } catch (error) {
    await rm(part, { recursive: true, force: true })
    throw explain(error)
  }
}

async function writeFolders(work: Export, top: Oid, folder: Buffer): Promise<void> {
  let level: readonly { tree: Oid; path: Buffer }[] = [{ tree: top, path: folder }]
  while (level.length > 0) {
    const folders = await Promise.all(level.map(async (item) => ({ ...item, items: await readTree(work, item.tree) })))
    const placed = folders.flatMap(({ path, items }) =>
      items.map((item) => ({ item, path: Buffer.concat([path, Buffer.from('/'), checkedName(item)]) })),
    )
    const isFolder = ({ item }: { item: TreeItem }): boolean => item.type === 'folder' || item.type === 'submodule'
    for (const place of placed.filter(isFolder)) mkdirSync(place.path, { mode: 0o755 })
    const writing = placed.filter((place) => !isFolder(place)).map(({ item, path }) => writeItem(work, item, path))
    await Promise.race([Promise.all(writing), work.reader.failed])
    level = placed.filter(({ item }) => item.type === 'folder').map(({ item, path }) => ({ tree: item.oid, path }))
  }
}

async function readTree(work: Export, oid: Oid): Promise<readonly TreeItem[]> {
  const items = await work.reader.tree(oid)
  if (!items) throw new Error(`the repository lacks the tree ${oid}`)
  work.entries += items.length
  if (work.entries > work.limits.entries) {
    throw new UserError('too_many_files', `The tree has more than ${work.limits.entries} files and folders.`)
  }
  return items
}

function checkedName({ name, nameBytes }: TreeItem): Buffer {
  const fault = faultOfName(name)
  if (fault !== undefined) throw new UserError('path_rejected', `A path of the tree ${fault}.`)
  return nameBytes
}

/** Synchronous writes of what one read of git's output held: at most some hundred small files at a time. */
function writeItem(work: Export, item: TreeItem, path: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const sink = item.type === 'link' ? linkSink(work, path) : fileSink(path, item.type === 'executable')
    const failing = (action: () => void): void => {
      try {
        action()
      } catch (error) {
        sink.abandon()
        reject(error)
        throw error // ends the process: what it is asked for after this would be written for nobody
      }
    }
    work.reader.stream(item.oid, {
      header: (header) =>
        failing(() => {
          if (header?.type !== 'blob') throw new Error(`the repository lacks the blob ${item.oid}`)
          count(work, header)
          sink.open()
        }),
      chunk: (bytes) => failing(() => sink.write(bytes)),
      end: () =>
        failing(() => {
          sink.close()
          resolve()
        }),
    })
  })
}

function count(work: Export, header: ObjectHeader): void {
  work.files++
  work.bytes += header.size
  if (work.bytes <= work.limits.exportBytes) return
  throw new UserError(
    'file_too_large',
    `The files of the tree have more than ${work.limits.exportBytes} bytes together.`,
  )
}

function fileSink(path: Buffer, isExecutable: boolean) {
  let fd = -1
  return {
    open() {
      fd = openSync(path, createOnly, isExecutable ? 0o755 : 0o644)
    },
    write(bytes: Buffer) {
      for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done)
    },
    close() {
      closeSync(fd)
      fd = -1
    },
    abandon() {
      if (fd >= 0) closeSync(fd)
    },
  }
}

function linkSink(work: Export, path: Buffer) {
  const chunks: Buffer[] = []
  let size = 0
  return {
    open: () => undefined,
    abandon: () => undefined,
    write(bytes: Buffer) {
      size += bytes.length
      if (size > maxLinkBytes)
        throw new UserError('link_rejected', `A symbolic link has more than ${maxLinkBytes} bytes.`)
      chunks.push(Buffer.from(bytes))
    },
    close() {
      const target = Buffer.concat(chunks)
      if (target.length === 0 || target.includes(0))
        throw new UserError('link_rejected', 'A symbolic link points nowhere.')
      work.links.push({ path, target })
    },
  }
}

function explain(error: unknown): unknown {
  if (isSystemError(error, 'ENAMETOOLONG'))
    return new UserError('path_rejected', 'A path of the tree is too long.', { cause: error })
  if (isSystemError(error, 'EEXIST'))
    return new UserError('path_rejected', 'The tree has a path twice.', { cause: error })
  if (isSystemError(error, 'ENOSPC', 'EDQUOT')) {
    return new UserError('disk_full', 'The disk is full: the tree could not be written.', { cause: error })
  }
  return error
}
