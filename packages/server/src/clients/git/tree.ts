import type { Oid } from './ref-name.ts'

export type TreeItemType = 'file' | 'executable' | 'folder' | 'link' | 'submodule'

export interface TreeItem {
  readonly name: string
  /** The name as it stands in the tree: not every name is UTF-8. */
  readonly nameBytes: Buffer
  readonly type: TreeItemType
  readonly oid: Oid
}

/** A tree object that git itself would not have written. */
export class MalformedTree extends Error {
  override readonly name = 'MalformedTree'
}

/** The entries of a tree object: `<octal mode> <name>\0<20 bytes of id>`, one after the other. */
export function parseTree(bytes: Buffer): readonly TreeItem[] {
  const items: TreeItem[] = []
  for (let offset = 0; offset < bytes.length; ) {
    const space = bytes.indexOf(0x20, offset)
    const end = bytes.indexOf(0, space)
    if (space < 0 || end < 0 || end + 21 > bytes.length) throw new MalformedTree('a tree entry is cut off')
    const nameBytes = bytes.subarray(space + 1, end)
    const type = typeOfMode(bytes.toString('latin1', offset, space))
    items.push({ name: nameBytes.toString('utf8'), nameBytes, type, oid: bytes.toString('hex', end + 1, end + 21) })
    offset = end + 21
  }
  return items
}

function typeOfMode(mode: string): TreeItemType {
  const bits = /^[0-7]{5,6}$/.test(mode) ? Number.parseInt(mode, 8) : 0
  const kind = bits & 0o170000
  if (kind === 0o040000) return 'folder'
  if (kind === 0o120000) return 'link'
  if (kind === 0o160000) return 'submodule'
  if (kind === 0o100000) return bits & 0o100 ? 'executable' : 'file'
  throw new MalformedTree(`a tree entry has the mode ${JSON.stringify(mode)}`)
}
