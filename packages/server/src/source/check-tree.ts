import type { ObjectReader, Oid, TreeItem } from '../clients/git/index.ts'
import { UserError } from '../kernel/errors.ts'
import type { Refusal } from './push.ts'
import type { DeployingApp, SourceLimits } from './source.ts'

/** A file somewhere below the root that is looked at. */
interface FoundFile {
  readonly path: string
  readonly oid: Oid
}

interface Survey {
  readonly files: FoundFile[]
  readonly attributes: FoundFile[]
  submodule: string | undefined
  entries: number
}

const pointerStart = 'version https://git-lfs.github.com/spec/'
/** A Git LFS pointer is smaller than this, by its specification. */
const maxPointerBytes = 1024
const maxAttributesBytes = 256 * 1024
/** As many files are looked at when a repository says that it uses LFS: it is enough to find one pointer. */
const maxPointersTried = 5000

/**
 * Why a tree cannot be deployed by these apps, as far as it shows without a builder; undefined when nothing does. Throws
 * `too_many_files`, with requests to the reader still open: what they would bring may be without end.
 */
export async function checkTree(
  reader: ObjectReader,
  tree: Oid,
  apps: readonly DeployingApp[],
  limits: SourceLimits,
): Promise<Refusal | undefined> {
  for (const root of new Set(apps.map((app) => app.root))) {
    const top = await findFolder(reader, tree, root)
    if (top === undefined) return { code: 'root_not_found', message: `the commit has no folder ${root}` }
    const refusal = await checkBelow(reader, top, root, limits)
    if (refusal) return refusal
  }
  return undefined
}

/** The tree of a folder, given from the root of a commit; undefined when there is none. */
export async function findFolder(reader: ObjectReader, tree: Oid, path: string): Promise<Oid | undefined> {
  let found = tree
  for (const name of path.split('/').filter(Boolean)) {
    const items = await reader.tree(found)
    const folder = items?.find((item) => item.name === name && item.type === 'folder')
    if (!folder) return undefined
    found = folder.oid
  }
  return found
}

async function checkBelow(
  reader: ObjectReader,
  top: Oid,
  root: string,
  limits: SourceLimits,
): Promise<Refusal | undefined> {
  const survey: Survey = { files: [], attributes: [], submodule: undefined, entries: 0 }
  await surveyTree(reader, top, survey, limits)
  if (survey.submodule !== undefined) {
    const message = `${survey.submodule} is a submodule, whose files are not part of the push; add them to the repository`
    return { code: 'submodule_unsupported', message }
  }
  if (survey.files.length === 0) {
    return { code: 'empty_tree', message: root === '' ? 'the commit has no files' : `the folder ${root} has no files` }
  }
  const pointer = await findPointer(reader, survey)
  if (pointer === undefined) return undefined
  const message = `${pointer} is a Git LFS pointer and not the file itself; see git lfs migrate export`
  return { code: 'lfs_unsupported', message }
}

/** Level by level, each level's trees asked for at once, and counted as each comes: a small pack can unfold to any size. */
async function surveyTree(reader: ObjectReader, top: Oid, survey: Survey, limits: SourceLimits): Promise<void> {
  const read = async (oid: Oid): Promise<readonly TreeItem[]> => {
    const items = (await reader.tree(oid)) ?? []
    survey.entries += items.length
    if (survey.entries <= limits.entries) return items
    throw new UserError('too_many_files', `the tree has more than ${limits.entries} files and folders`)
  }
  let level: readonly { path: string; oid: Oid }[] = [{ path: '', oid: top }]
  while (level.length > 0) {
    const trees = await Promise.all(level.map(async ({ path, oid }) => ({ path, items: await read(oid) })))
    const next: { path: string; oid: Oid }[] = []
    for (const { path, items } of trees) {
      for (const item of items) note(survey, next, `${path}${item.name}`, item)
    }
    level = next
  }
}

function note(survey: Survey, next: { path: string; oid: Oid }[], path: string, item: TreeItem): void {
  if (item.type === 'folder') return void next.push({ path: `${path}/`, oid: item.oid })
  if (item.type === 'submodule') survey.submodule ??= path
  const file = { path, oid: item.oid }
  survey.files.push(file)
  if (item.name === '.gitattributes' && item.type !== 'link') survey.attributes.push(file)
}

async function findPointer(reader: ObjectReader, survey: Survey): Promise<string | undefined> {
  if (!(await usesLfs(reader, survey.attributes))) return undefined
  for (const { path, oid } of survey.files.slice(0, maxPointersTried)) {
    const blob = await reader.blob(oid, maxPointerBytes)
    if (blob && blob !== 'tooLarge' && blob.toString('latin1', 0, pointerStart.length) === pointerStart) return path
  }
  return undefined
}

async function usesLfs(reader: ObjectReader, attributes: readonly FoundFile[]): Promise<boolean> {
  for (const { oid } of attributes.slice(0, 100)) {
    const blob = await reader.blob(oid, maxAttributesBytes)
    if (blob && blob !== 'tooLarge' && /\bfilter=lfs\b/.test(blob.toString('utf8'))) return true
  }
  return false
}
