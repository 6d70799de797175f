import { chmodSync, chownSync, lstatSync, mkdirSync, realpathSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { isSystemError, UserError } from '../../kernel/errors.ts'
import type { PlatformUsers } from '../users.ts'
import { keyOfHome } from './lock.ts'

export interface Home {
  /** What every part uses: the real path, or a short way to it where Unix sockets would not fit. */
  readonly path: string
  readonly key: string
}

/** Unix socket paths end at 107 bytes; the longest below `run` is PostgreSQL's or a program's. */
const longestRun = 80

interface Folder {
  readonly name: string
  readonly mode: number
  readonly owner?: keyof PlatformUsers
  readonly group?: keyof PlatformUsers
}

/** The layout. An owner is named where it is not the supervisor; as an ordinary user all of it is that user's. */
const folders: readonly Folder[] = [
  { name: 'keys', mode: 0o700, owner: 'controlPlane' },
  { name: 'db', mode: 0o711 },
  // sticky: the control plane makes its own sockets here and cannot replace the supervisor's
  { name: 'run', mode: 0o1771, group: 'controlPlane' },
  { name: 'run/postgres', mode: 0o750, owner: 'postgres', group: 'controlPlane' },
  { name: 'run/instances', mode: 0o711 },
  { name: 'repositories', mode: 0o700, owner: 'controlPlane' },
  { name: 'builds', mode: 0o711, owner: 'controlPlane' },
  { name: 'artifacts', mode: 0o711, owner: 'controlPlane' },
  { name: 'layers', mode: 0o711, owner: 'controlPlane' },
  { name: 'toolchains', mode: 0o755, owner: 'controlPlane' },
  // set-group-id: the supervisor writes what apps print, the control plane reads it
  { name: 'logs', mode: 0o2750, group: 'controlPlane' },
  { name: 'log', mode: 0o700 },
  { name: 'state', mode: 0o700 },
  { name: 'cache', mode: 0o700 },
  { name: 'routing', mode: 0o700, owner: 'router' },
]

/** Makes GANTRY_HOME and its folders, and sets their modes and owners. Throws `home_not_writable`, `home_not_traversable`. */
export function openHome(wanted: string, users: PlatformUsers | undefined): Home {
  try {
    mkdirSync(wanted, { recursive: true, mode: 0o711 })
    const real = realpathSync(wanted)
    if (users) requireTraversable(real)
    chmodSync(real, 0o711)
    for (const folder of folders) makeFolder(join(real, folder.name), folder, users)
    const key = keyOfHome(real)
    const path = Buffer.byteLength(join(real, 'run')) <= longestRun ? real : shortWay(real, key, users !== undefined)
    return { path, key }
  } catch (error) {
    if (!isSystemError(error, 'EACCES', 'EPERM', 'EROFS', 'ENOTDIR')) throw error
    throw new UserError(
      'home_not_writable',
      `GANTRY_HOME, ${wanted}, cannot be written to (${error.code} at ${error.path ?? wanted}). Correct its owner, or set another GANTRY_HOME.`,
    )
  }
}

function makeFolder(path: string, folder: Folder, users: PlatformUsers | undefined): void {
  mkdirSync(path, { recursive: true, mode: 0o700 })
  if (users)
    chownSync(path, folder.owner ? users[folder.owner] : 0, folder.group ? users[folder.group] : groupOf(folder, users))
  chmodSync(path, folder.mode)
}

function groupOf(folder: Folder, users: PlatformUsers): number {
  return folder.owner ? users[folder.owner] : 0
}

/** Apps have uids of their own and must reach their files: a private folder such as /root above the home keeps them out. */
function requireTraversable(home: string): void {
  for (let folder = dirname(home); ; folder = dirname(folder)) {
    if ((statSync(folder).mode & 0o001) === 0) {
      throw new UserError(
        'home_not_traversable',
        `GANTRY_HOME is ${home}, and ${folder} lets nobody else through, so apps could not reach their files. ` +
          `Type: chmod o+x ${shellWord(folder)}   or set GANTRY_HOME to another folder, such as /var/lib/gantry.`,
      )
    }
    if (folder === dirname(folder)) return
  }
}

function shellWord(text: string): string {
  return /^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}

/**
 * A folder of our own in a short place with a link to the home. Whatever stands there
 * already must be ours, or somebody could lead us elsewhere.
 */
function shortWay(home: string, key: string, isRoot: boolean): string {
  const folder = isRoot ? `/run/gantry-${key}` : `/tmp/gantry-${process.getuid?.()}-${key}`
  mkdirSync(folder, { recursive: true, mode: 0o711 })
  const found = lstatSync(folder)
  if (!found.isDirectory() || found.uid !== process.getuid?.()) {
    throw new UserError(
      'home_not_writable',
      `${folder} belongs to somebody else. Remove it, or set a shorter GANTRY_HOME.`,
    )
  }
  chmodSync(folder, 0o711)
  const link = join(folder, 'home')
  rmSync(link, { force: true })
  symlinkSync(home, link)
  return link
}
