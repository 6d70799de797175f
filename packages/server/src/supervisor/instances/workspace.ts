import { chownSync, closeSync, lstatSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { isSystemError } from '../../kernel/errors.ts'
import { runArgv, type SpawnArgv } from '../../kernel/spawn-argv.ts'
import { type Entry, inFolder, openFolderAt, withEntry } from '../files/safe-path.ts'
import type { Owner } from '../files/tree.ts'
import { Refusal, type SpawnPlace } from '../protocol.ts'
import { copyTree } from './copy-tree.ts'

/** The folders of one process: where it works, its HOME and its TMPDIR. All below `GANTRY_HOME/run/instances/<id>`. */
export interface Workspace {
  readonly cwd: string
  readonly home: string
  readonly tmp: string
}

export interface WorkspaceDeps {
  readonly home: string
  readonly start: SpawnArgv
}

/** Up to this many files are copied here; more by `cp`, whose start then does not count. */
const fewEntries = 150

/**
 * Makes the folders and, for a copy, fills them. Nobody but root can enter before the end, when the top folder is given to
 * `owner` (undefined: the supervisor is not root). What an earlier attempt left must have been removed.
 */
export async function makeWorkspace(
  deps: WorkspaceDeps,
  id: string,
  place: SpawnPlace,
  owner: Owner | undefined,
): Promise<Workspace> {
  const top = join(deps.home, 'run/instances', id)
  const workspace = { cwd: join(top, 'app'), home: join(top, 'home'), tmp: join(top, 'tmp') }
  mkdirSync(top, { mode: 0o700 })
  for (const folder of [workspace.home, workspace.tmp]) makeFolder(folder, owner)
  if (place.kind === 'copy') await fillApp(deps, workspace.cwd, place, owner)
  if (owner) chownSync(top, owner.uid, owner.gid)
  if (place.kind === 'folder') return { ...workspace, cwd: await checkedFolder(deps.home, place.path) }
  return workspace
}

function makeFolder(path: string, owner: Owner | undefined): void {
  mkdirSync(path, { mode: 0o700 })
  if (owner) chownSync(path, owner.uid, owner.gid)
}

async function fillApp(
  deps: WorkspaceDeps,
  app: string,
  place: Extract<SpawnPlace, { kind: 'copy' }>,
  owner: Owner | undefined,
): Promise<void> {
  const links = Object.entries(place.links)
  for (const [name, path] of links) {
    if (!isLinkName(name)) throw new Refusal('SpecRejected', `not a name for a link: ${JSON.stringify(name)}`)
    await withEntry(deps.home, ['layers', 'toolchains', 'artifacts'], path, () => undefined)
  }
  makeFolder(app, owner)
  const appFd = openFolderAt(app)
  try {
    await withEntry(deps.home, ['artifacts'], place.path, async (entry) => {
      if (!isFolder(entry.path)) throw new Refusal('SpecRejected', `${place.path} is not there`)
      if (countEntries(entry.path, fewEntries) <= fewEntries) return copyTree(entry.path, app, place.path, owner)
      await copyByProgram(deps, entry, app, owner)
    })
    // Through the open folder: after a copy by program others of the app's uid can reach its path.
    for (const [name, path] of links) symlinkSync(path, inFolder(appFd, name))
  } finally {
    closeSync(appFd)
  }
}

/** A link may lie in the app's folder only, and never replaces what the artifact brings: `symlink` fails then. */
function isLinkName(name: string): boolean {
  return name !== '.' && name !== '..' && /^[^/\0]{1,255}$/.test(name)
}

/**
 * With the app's own rights where there are such, from inside the source: whatever happens to the tree meanwhile, nothing
 * else is read, and the folders above need not be open to the app.
 */
async function copyByProgram(deps: WorkspaceDeps, entry: Entry, app: string, owner: Owner | undefined): Promise<void> {
  // The copying program has to pass the top folder; nothing else runs under this instance's folder yet.
  if (owner) chownSync(join(app, '..'), owner.uid, owner.gid)
  const options = {
    ...(owner && { uid: owner.uid, gid: owner.gid }),
    env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' },
    cwd: `/proc/${process.pid}/fd/${entry.folderFd}/${entry.name}`,
  }
  const run = async (file: string, args: readonly string[]): Promise<void> => {
    const result = await runArgv(deps.start, file, args, options)
    if (result.exitCode !== 0) throw new Error(`${file}: ${result.stderr.trim().slice(0, 500)}`)
  }
  await run('cp', ['-R', '-P', '--preserve=mode,timestamps', '--reflink=auto', '--no-target-directory', '--', '.', app])
  await run('chmod', ['-R', 'u+rwX,go=', '--', app])
}

function isFolder(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
}

/** Entries of a tree, counted no further than just above `enough`. */
function countEntries(folder: string, enough: number): number {
  let count = 0
  const folders = [folder]
  for (let next = folders.pop(); next !== undefined && count <= enough; next = folders.pop()) {
    for (const entry of readdirSync(next, { withFileTypes: true })) {
      count++
      if (entry.isDirectory()) folders.push(join(next, entry.name))
    }
  }
  return count
}

async function checkedFolder(home: string, path: string): Promise<string> {
  try {
    return await withEntry(home, ['builds', 'artifacts', 'layers'], path, (entry) => {
      if (!isFolder(entry.path)) throw new Refusal('SpecRejected', `${path} is not a folder`)
      return path
    })
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) throw new Refusal('SpecRejected', `${path} is not there`)
    throw error
  }
}
