import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { appsByRepository } from '../apps/index.ts'
import { isSystemError } from '../kernel/errors.ts'
import { isId, type RepositoryId } from '../kernel/ids.ts'
import { exportTree } from './export-tree.ts'
import { createGitRequestHandler } from './git-request.ts'
import { importTar } from './import-tar.ts'
import { createOrdered } from './ordered.ts'
import { reconcileRefs } from './reconcile-refs.ts'
import { sourceRoutes } from './routes.ts'
import type { Source, SourceDeps } from './source.ts'
import { findTree, openSourceTree } from './tree-access.ts'

export function createSource(deps: SourceDeps): Source {
  const { git, db } = deps
  const pathOf = (id: RepositoryId): string => {
    if (!isId('repository', id)) throw new RangeError('not the id of a repository')
    return join(deps.folder, `${id}.git`)
  }
  const keepHead = async (id: RepositoryId, branch: string): Promise<void> => {
    const head = await readHead(pathOf(id))
    if (head !== `ref: refs/heads/${branch}`) await git.setHead(pathOf(id), branch)
  }
  const ordered = createOrdered()
  const cleanPacks = async (id: RepositoryId): Promise<void> => {
    if ((await git.countPacks(pathOf(id))) > deps.limits.packs) await git.cleanRepository(pathOf(id))
  }
  // One at a time on this machine: it is never urgent.
  const tidy = (id: RepositoryId): void => {
    ordered('clean', () => cleanPacks(id)).catch((error: unknown) => {
      deps.log.warn({ err: error, repository: id }, 'the packs of a repository could not be packed together')
    })
  }
  const importInto: Source['importTar'] = (repository, source, tar) => importTar(deps, pathOf(repository), source, tar)
  return {
    gitRequest: createGitRequestHandler({ ...deps, pathOf, keepHead, ordered, tidy }),
    routes: sourceRoutes({ ...deps, importTar: importInto }),
    async createRepository(id) {
      if ((await readHead(pathOf(id))) !== undefined) return
      const [app] = await appsByRepository(db, id)
      await git.initRepository(pathOf(id), app?.branch ?? 'main')
    },
    deleteRepository: (id) => git.removeRepository(pathOf(id)),
    cleanRepository: (id) => git.cleanRepository(pathOf(id)),
    importTar: importInto,
    treeId: (repository, commit, root) =>
      git.readObjects(pathOf(repository), (reader) => findTree(reader, commit, root)),
    tree: (repository, commit, root) => openSourceTree(git, pathOf(repository), commit, root),
    exportTree: (repository, treeId, folder) => exportTree(deps, pathOf(repository), treeId, folder),
    reconcileRefs: () => reconcileRefs({ ...deps, pathOf }),
    close: () => git.close(),
  }
}

/** What HEAD says; undefined when there is no repository. */
async function readHead(path: string): Promise<string | undefined> {
  try {
    return (await readFile(join(path, 'HEAD'), 'utf8')).trim()
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return undefined
    throw error
  }
}
