import { chmod, cp, lstat, mkdir, readdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isSystemError, UserError } from '../kernel/errors.ts'
import { Refusal } from '../supervisor/protocol.ts'
import { type BuildJob, knownTasks } from './build-job.ts'
import { claimFolder } from './folder-store.ts'

/** Folders on the way to what a build's uid works in: it may pass, and not look around. */
const passable = 0o711

/**
 * Makes the build's own folders, and gives away those that it writes to, unless an earlier run of this job did. Nothing
 * of them is read by Gantry afterwards.
 */
export function makeWorkspace(job: BuildJob): Promise<void> {
  job.progress.workspace ??= makeFolders(job)
  return job.progress.workspace
}

async function makeFolders(job: BuildJob): Promise<void> {
  const { deps, workspace, build, app } = job
  if ((await knownTasks(job)).size > 0) return
  await claimFolder(deps.db, job.scope, {
    path: workspace.top,
    appId: app.id,
    buildId: build.id,
    kind: 'workspace',
    subjectId: build.id,
    key: '',
    now: deps.clock.now(),
  })
  await deps.folders.remove(workspace.top)
  for (const folder of [workspace.top, workspace.work, workspace.home, workspace.tmp, workspace.bin]) {
    await makePassable(folder)
  }
  for (const name of ['npm', 'npx']) {
    await symlink(join(deps.node.npmBinFolder, `${name}-cli.js`), join(workspace.bin, name))
  }
  await writeFile(workspace.npmrc, deps.machine.npmrc, { mode: 0o644 })
  await chmod(workspace.npmrc, 0o644)
  await give(job, workspace.work)
  await makeCache(job)
}

/** The exported tree, for the installing of layers. */
export async function exportSource(job: BuildJob): Promise<string> {
  const { source } = job.workspace
  if (!(await exists(source))) await job.deps.source.exportTree(job.app.repositoryId, job.treeId, source)
  return source
}

/** Copies files and folders of the exported tree; symbolic links stay behind, for where they point is not the tree's. */
export async function copyFiles(source: string, files: readonly string[], folder: string): Promise<void> {
  for (const file of files) {
    await cp(join(source, file), join(folder, file), {
      recursive: true,
      filter: async (path) => !(await lstat(path)).isSymbolicLink(),
    })
  }
}

/**
 * Fills a folder with links to everything in a layer, so that a build can write beside them (`node_modules/.cache`). A
 * scope (`@types`) becomes a folder of its own, since packages of two layers never share one.
 */
export async function linkEntries(content: string, folder: string): Promise<void> {
  await mkdir(folder)
  for (const entry of await readdir(content, { withFileTypes: true })) {
    const from = join(content, entry.name)
    const to = join(folder, entry.name)
    if (entry.isDirectory() && entry.name.startsWith('@')) await linkEntries(from, to)
    else await symlink(from, to)
  }
}

/** Makes a tree the build's. Throws `build_failed` for one that cannot be. */
export async function give(job: BuildJob, path: string): Promise<void> {
  const owner = { uid: job.app.buildUid, gid: job.app.runUid }
  await job.deps.folders.give(path, owner).catch((error: unknown) => explainRefusal(path, error))
}

/** Makes a tree Gantry's, for good. Throws `build_failed` for one that cannot be kept. */
export async function seal(job: BuildJob, path: string): Promise<void> {
  await job.deps.folders.seal(path, job.app.runUid).catch((error: unknown) => explainRefusal(path, error))
}

/** What is in a tree is the user's doing, and the same the next time: never tried again. */
function explainRefusal(path: string, error: unknown): never {
  if (!(error instanceof Refusal) || error.refusal !== 'SpecRejected') throw error
  const what = error.message.replaceAll(`${path}/`, '')
  const shown = what.length > 300 ? `${what.slice(0, 150)}…${what.slice(-100)}` : what
  throw new UserError('build_failed', `The files of this build cannot be kept: ${shown}.`, { cause: error })
}

export async function makePassable(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  await chmod(folder, passable)
}

/** Given to the app's builds once; from then on Gantry does not look into it. */
async function makeCache(job: BuildJob): Promise<void> {
  await makePassable(join(job.deps.home, 'layers', job.app.id))
  try {
    await mkdir(job.cacheFolder)
  } catch (error) {
    if (isSystemError(error, 'EEXIST')) return
    throw error
  }
  await give(job, job.cacheFolder)
}

export async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path)
    return true
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return false
    throw error
  }
}

/** Bytes of all regular files below a folder. Names are bytes: a tree may have some that are not UTF-8. */
export async function folderSize(folder: string): Promise<number> {
  const folders: Buffer[] = [Buffer.from(folder)]
  let bytes = 0
  for (let next = folders.pop(); next !== undefined; next = folders.pop()) {
    const files: Buffer[] = []
    for (const entry of await readdir(next, { withFileTypes: true, encoding: 'buffer' })) {
      const path = Buffer.concat([next, Buffer.from('/'), entry.name])
      if (entry.isDirectory()) folders.push(path)
      else if (entry.isFile()) files.push(path)
    }
    for (let at = 0; at < files.length; at += 64) {
      const sizes = await Promise.all(files.slice(at, at + 64).map(async (path) => (await lstat(path)).size))
      for (const size of sizes) bytes += size
    }
  }
  return bytes
}
