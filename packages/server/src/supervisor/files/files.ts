import { lstatSync, readdirSync, readlinkSync } from 'node:fs'
import { isSystemError } from '../../kernel/errors.ts'
import type { Logger } from '../../kernel/logger.ts'
import type { SpawnArgv } from '../../kernel/spawn-argv.ts'
import { Refusal } from '../protocol.ts'
import { type Entry, type Root, withEntry } from './safe-path.ts'
import { openTrash } from './trash.ts'
import { type Owner, ownVisitor, sealVisitor, walkTree } from './tree.ts'

/** What is done to files with the supervisor's rights. Every path is checked; no link is followed at any depth. */
export interface Files {
  /** A build's folder (below `builds/`, `artifacts/` or `layers/`) becomes the build's, private to it. */
  give(path: string, owner: Owner): Promise<void>
  /** What a build left becomes the control plane's, readable by the group `gid`, written by nobody. */
  seal(path: string, gid: number): Promise<void>
  /** Out of the way at once, gone soon after. */
  remove(path: string): Promise<void>
}

export interface FilesDeps {
  readonly home: string
  /** The control plane's uid and gid; undefined when the supervisor is not root and everything has one uid. */
  readonly controlPlane: Owner | undefined
  /** Lowest uid and gid that anything may be given to. */
  readonly lowestUid: number
  readonly start: SpawnArgv
  readonly log: Logger
}

const sealable: readonly Root[] = ['builds', 'artifacts', 'layers', 'toolchains']
const givable: readonly Root[] = ['builds', 'artifacts', 'layers']
const removable: readonly Root[] = [...sealable, 'run/instances']

export function createFiles(deps: FilesDeps): Files {
  const { home, controlPlane } = deps
  const trash = openTrash(deps)
  const checked = (owner: Owner): Owner | undefined => {
    const plain = [owner.uid, owner.gid].every((id) => Number.isSafeInteger(id) && id >= 0)
    if (!plain) throw new Refusal('BadRequest', 'uid and gid are numbers')
    if (!controlPlane) return undefined
    if (Math.min(owner.uid, owner.gid) >= deps.lowestUid) return owner
    throw new Refusal('SpecRejected', `uid and gid must be ${deps.lowestUid} or higher`)
  }
  return {
    give: (path, owner) => withEntry(home, givable, path, (entry) => change(entry, path, ownVisitor(checked(owner)))),
    seal: (path, gid) =>
      withEntry(home, sealable, path, async (entry) => {
        const owner = checked({ uid: gid, gid }) && controlPlane && { uid: controlPlane.uid, gid }
        const makers = controlPlane ? [controlPlane.uid, makerOf(entry, path, controlPlane.uid)] : []
        await change(entry, path, sealVisitor(owner, makers))
      }),
    remove: (path) => withEntry(home, removable, path, (entry) => trash.take(entry)),
  }
}

async function change(entry: Entry, shown: string, visitor: Parameters<typeof walkTree>[2]): Promise<void> {
  try {
    await walkTree(entry.path, shown, visitor)
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR', 'ELOOP'))
      throw new Refusal('SpecRejected', `${shown} is not a folder`)
    throw error
  }
}

/**
 * The uid that owns a tree. Refuses while a process of its works in it: a build that is not over would go on writing
 * through what it has open. Only such processes can: everybody else never had the right.
 */
function makerOf(entry: Entry, shown: string, controlPlane: number): number {
  const tree = lstatSync(entry.path, { throwIfNoEntry: false })
  if (!tree?.isDirectory()) throw new Refusal('SpecRejected', `${shown} is not a folder`)
  if (tree.uid === controlPlane) return tree.uid
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) continue
    if (worksIn(name, tree.uid, shown)) throw new Refusal('NotEnded', `process ${name} still works in ${shown}`)
  }
  return tree.uid
}

function worksIn(pid: string, uid: number, folder: string): boolean {
  const inside = (link: string): boolean => {
    try {
      const target = readlinkSync(link)
      return target === folder || target.startsWith(`${folder}/`)
    } catch {
      return false // ended meanwhile, or another user's
    }
  }
  try {
    if (lstatSync(`/proc/${pid}`).uid !== uid) return false
    if (inside(`/proc/${pid}/cwd`) || inside(`/proc/${pid}/root`)) return true
    return readdirSync(`/proc/${pid}/fd`).some((fd) => inside(`/proc/${pid}/fd/${fd}`))
  } catch {
    return false
  }
}
