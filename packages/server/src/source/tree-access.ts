import type { SourceTree, TreeEntry } from '../builders/builder.ts'
import type { Git, ObjectReader, Oid, TreeItem } from '../clients/git/index.ts'
import { isOid } from '../clients/git/index.ts'
import { UserError } from '../kernel/errors.ts'
import { findFolder } from './check-tree.ts'

/** Largest file that a builder reads. */
const maxReadBytes = 4 * 1024 * 1024

/** The tree of a commit below a root. Throws `commit_not_found`, `root_not_found`. */
export async function findTree(reader: ObjectReader, commit: Oid, root: string): Promise<Oid> {
  const facts = isOid(commit) ? await reader.commit(commit) : undefined
  if (!facts) throw new UserError('commit_not_found', `The repository has no commit ${commit.slice(0, 40)}.`)
  const tree = await findFolder(reader, facts.tree, root)
  if (tree === undefined) {
    throw new UserError('root_not_found', `The commit ${commit.slice(0, 7)} has no folder ${root}.`)
  }
  return tree
}

/** Read access for builders. Every folder is read from git once. */
export function openSourceTree(git: Git, path: string, commit: Oid, root: string): SourceTree {
  const folders = new Map<string, Promise<readonly TreeItem[]>>()
  const read = (folder: string): Promise<readonly TreeItem[]> => {
    const known = folders.get(folder)
    if (known) return known
    const reading = git.readObjects(path, (reader) => readFolder(reader, commit, root, folder))
    reading.catch(() => folders.delete(folder))
    folders.set(folder, reading)
    return reading
  }
  return {
    list: async (folder) => (await read(folder)).map(toEntry),
    async read(file) {
      const slash = file.lastIndexOf('/')
      const items = await read(slash < 0 ? '' : file.slice(0, slash))
      const item = items.find(({ name }) => name === file.slice(slash + 1))
      if (!item || (item.type !== 'file' && item.type !== 'executable')) return undefined
      const blob = await git.readObjects(path, (reader) => reader.blob(item.oid, maxReadBytes))
      if (blob === 'tooLarge') {
        throw new UserError(
          'file_too_large',
          `${file} has more than ${maxReadBytes / 1024 / 1024} MiB, too much to be read.`,
        )
      }
      return blob?.toString('utf8')
    },
  }
}

async function readFolder(
  reader: ObjectReader,
  commit: Oid,
  root: string,
  folder: string,
): Promise<readonly TreeItem[]> {
  const top = await findTree(reader, commit, root)
  const tree = await findFolder(reader, top, folder)
  return tree === undefined ? [] : ((await reader.tree(tree)) ?? [])
}

function toEntry({ name, type, oid }: TreeItem): TreeEntry {
  return { name, type: type === 'executable' ? 'file' : type, oid }
}
