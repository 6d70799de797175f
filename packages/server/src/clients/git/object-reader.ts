import type { ObjectHeader, ObjectProcess, ObjectSink, ObjectType } from './object-process.ts'
import { isOid, isRefName, type Oid } from './ref-name.ts'
import { parseTree, type TreeItem } from './tree.ts'

/** Reads objects of one repository over one git process that is already running. Requests are answered in order. */
export interface ObjectReader {
  /** What a ref points to; undefined when there is none. */
  resolve(ref: string): Promise<Oid | undefined>
  /** The tree and the parents of a commit, or of the commit that a tag names. Undefined: no such object or no commit. */
  commit(oid: Oid): Promise<CommitFacts | undefined>
  /** The entries of a tree. Undefined when there is no such tree. */
  tree(oid: Oid): Promise<readonly TreeItem[] | undefined>
  /** A blob's bytes; `tooLarge` above `maxBytes`. Undefined when there is no such blob. */
  blob(oid: Oid, maxBytes: number): Promise<Buffer | 'tooLarge' | undefined>
  /** Asks for an object without waiting for earlier ones; the sink gets it in its turn. */
  stream(oid: Oid, sink: ObjectSink): void
  /** Rejects when the process has failed: what `stream` was asked for will not come. */
  readonly failed: Promise<never>
}

export interface CommitFacts {
  readonly oid: Oid
  readonly tree: Oid
  readonly parents: readonly Oid[]
}

const maxCommitBytes = 4 * 1024 * 1024
const maxTreeBytes = 32 * 1024 * 1024
const maxTagDepth = 10

export function createObjectReader(process: ObjectProcess): ObjectReader {
  const get = (name: string, type: ObjectType | undefined, maxBytes: number): Promise<Found | undefined> =>
    Promise.race([process.failed, readWhole(process, name, type, maxBytes)])
  const commit = async (oid: Oid, depth: number): Promise<CommitFacts | undefined> => {
    const found = await get(checked(oid), undefined, maxCommitBytes)
    if (!found || found.bytes === 'tooLarge') return undefined
    const text = found.bytes.toString('latin1')
    if (found.header.type === 'commit') return parseCommit(found.header.oid, text)
    const target = found.header.type === 'tag' ? /^object ([0-9a-f]{40})\n/.exec(text)?.[1] : undefined
    return target !== undefined && depth < maxTagDepth ? await commit(target, depth + 1) : undefined
  }
  return {
    async resolve(ref) {
      if (!isRefName(ref)) throw new RangeError('not a ref name')
      return (await get(ref, undefined, 0))?.header.oid
    },
    commit: (oid) => commit(oid, 0),
    async tree(oid) {
      const found = await get(checked(oid), 'tree', maxTreeBytes)
      return found && found.bytes !== 'tooLarge' ? parseTree(found.bytes) : undefined
    },
    async blob(oid, maxBytes) {
      return (await get(checked(oid), 'blob', maxBytes))?.bytes
    },
    stream: (oid, sink) => process.request(checked(oid), sink),
    failed: process.failed,
  }
}

interface Found {
  readonly header: ObjectHeader
  readonly bytes: Buffer | 'tooLarge'
}

function checked(oid: Oid): Oid {
  if (!isOid(oid)) throw new RangeError('not an object id')
  return oid
}

function readWhole(
  process: ObjectProcess,
  name: string,
  type: ObjectType | undefined,
  maxBytes: number,
): Promise<Found | undefined> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let found: ObjectHeader | undefined
    process.request(name, {
      header(header) {
        found = header && (type === undefined || header.type === type) ? header : undefined
        if (!header) resolve(undefined)
      },
      chunk(bytes) {
        // A chunk is part of git's output buffer, which is reused for nothing else: keeping it is safe, and small.
        if (found && found.size <= maxBytes) chunks.push(bytes)
      },
      end() {
        if (!found) return resolve(undefined)
        resolve({ header: found, bytes: found.size <= maxBytes ? Buffer.concat(chunks) : 'tooLarge' })
      },
    })
  })
}

function parseCommit(oid: Oid, text: string): CommitFacts | undefined {
  const tree = /^tree ([0-9a-f]{40})\n/.exec(text)?.[1]
  if (tree === undefined) return undefined
  const head = text.slice(0, text.indexOf('\n\n'))
  return { oid, tree, parents: [...head.matchAll(/^parent ([0-9a-f]{40})$/gm)].map((match) => match[1] ?? '') }
}
