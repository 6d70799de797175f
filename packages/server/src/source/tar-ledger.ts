import { faultOfName, isDotGitFile } from '../clients/git/index.ts'
import { UserError } from '../kernel/errors.ts'
import { leadsOut } from './link-target.ts'
import type { SourceLimits } from './source.ts'

/** What a tar header says, as far as it matters (POSIX pax, ustar). */
export interface TarHeaderFacts {
  readonly name: string
  readonly size: number
  readonly mode?: number
  readonly type?: string
  readonly linkname?: string
  readonly pax?: Readonly<Record<string, string>>
}

export type TarItem =
  | { readonly kind: 'file'; readonly path: string; readonly isExecutable: boolean; readonly size: number }
  | { readonly kind: 'link'; readonly path: string; readonly target: string }

/** Keeps account of an archive's entries and refuses the one that must not be. Pure but for its own memory. */
export interface TarLedger {
  /** What to store for an entry; undefined for a folder. Throws `UserError`. */
  take(header: TarHeaderFacts): TarItem | undefined
  /** The sums, when no entry is left. Throws `empty_tree`, and `link_rejected` for a link that leads out. */
  finish(): { fileCount: number; sizeBytes: number }
}

export function createTarLedger(limits: SourceLimits): TarLedger {
  const kinds = new Map<string, 'file' | 'folder'>()
  const links = new Map<string, string>()
  let headers = 0
  let files = 0
  let bytes = 0

  const addFolder = (path: string): void => {
    for (let end = path.length; end > 0; end = path.lastIndexOf('/', end - 1)) {
      const folder = path.slice(0, end)
      const known = kinds.get(folder)
      if (known === 'file') throw rejected(path, 'goes through a file or a link of this archive')
      if (known === 'folder') return
      kinds.set(folder, 'folder')
    }
  }
  const addFile = (path: string): void => {
    if (kinds.has(path)) throw rejected(path, 'is in this archive twice')
    const slash = path.lastIndexOf('/')
    if (slash > 0) addFolder(path.slice(0, slash))
    kinds.set(path, 'file')
    files++
  }
  const addBytes = (path: string, size: number): void => {
    bytes += size
    if (bytes <= limits.uploadBytes) return
    throw new UserError(
      'file_too_large',
      `With ${shown(path)} the files have more than ${limits.uploadBytes} bytes together.`,
    )
  }
  return {
    take(header) {
      headers++
      if (Math.max(headers, kinds.size) > limits.entries) throw tooMany(limits)
      const path = checkedPath(header, limits)
      if (header.type === 'directory') {
        if (path !== '') addFolder(path)
        return undefined
      }
      checkType(path, header)
      addFile(path)
      if (header.type === 'symlink') {
        const target = checkedTarget(path, header.linkname ?? '')
        links.set(path, target)
        return { kind: 'link', path, target }
      }
      addBytes(path, header.size)
      return { kind: 'file', path, isExecutable: ((header.mode ?? 0) & 0o100) !== 0, size: header.size }
    },
    finish() {
      if (kinds.size > limits.entries) throw tooMany(limits)
      if (files === 0) throw new UserError('empty_tree', 'The upload has no files.')
      for (const path of links.keys()) {
        if (leadsOut(path, links))
          throw new UserError('link_rejected', `The link ${shown(path)} leads out of the tree.`)
      }
      return { fileCount: files, sizeBytes: bytes }
    },
  }
}

/** The path in git's form, without `./` before and `/` behind; '' for the root itself. */
function checkedPath(header: TarHeaderFacts, limits: SourceLimits): string {
  const { name } = header
  if (name.startsWith('/')) throw rejected(name, 'is absolute')
  const parts = name
    .replace(/^(\.\/+)+/, '')
    .replace(/\/+$/, '')
    .split('/')
  const path = parts.join('/')
  if (header.type === 'directory' && (path === '' || path === '.')) return ''
  if (Buffer.byteLength(path) > limits.pathBytes) throw rejected(name, `has more than ${limits.pathBytes} bytes`)
  if (path.includes('\ufffd')) throw rejected(name, 'is not valid UTF-8')
  if (/[\0-\x1f\x7f]/.test(path)) throw rejected(name, 'has a control character')
  for (const part of parts) {
    const fault = faultOfName(part)
    if (fault !== undefined) throw rejected(name, fault)
  }
  return path
}

function checkType(path: string, header: TarHeaderFacts): void {
  const isSparse = Object.keys(header.pax ?? {}).some((key) => key.startsWith('GNU.sparse.'))
  if (!isSparse && (header.type === 'file' || header.type === 'symlink')) return
  const kind = isSparse
    ? 'sparse file'
    : header.type === 'link'
      ? 'hard link'
      : (header.type ?? 'unknown').replaceAll('-', ' ')
  throw new UserError(
    'file_type_rejected',
    `${shown(path)} is a ${kind}. Only files, folders and symbolic links can be uploaded.`,
  )
}

function checkedTarget(path: string, target: string): string {
  const isText = target !== '' && Buffer.byteLength(target) <= 4095 && !/[\0\ufffd]/.test(target)
  const name = path.slice(path.lastIndexOf('/') + 1)
  // git itself refuses a link in place of these files, since it would read what the link points to.
  const isGitFile = (['modules', 'attributes', 'ignore'] as const).some((file) => isDotGitFile(name, file))
  if (isText && !isGitFile) return target
  throw new UserError(
    'link_rejected',
    `The link ${shown(path)} ${isGitFile ? 'stands for a file of git' : 'has no valid target'}.`,
  )
}

function tooMany(limits: SourceLimits): UserError {
  return new UserError('too_many_files', `The upload has more than ${limits.entries} files and folders.`)
}

function rejected(name: string, fault: string): UserError {
  return new UserError('path_rejected', `The path ${shown(name)} ${fault}.`)
}

function shown(path: string): string {
  return JSON.stringify(path.length > 200 ? `${path.slice(0, 200)}…` : path)
}
