import { appendFile, mkdir, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { writeFileAtomically } from '../kernel/atomic-file.ts'
import { isSystemError } from '../kernel/errors.ts'
import type { TableUpdate } from './protocol.ts'
import { judgeUpdate, type TablePosition } from './table.ts'

/**
 * The table on disk: one line of JSON an update, the first one whole. Each router has a file of its own, because two of
 * them live at once during a hand-over and neither may undo what the other saved. Nothing is synced: the file is for the
 * next router of this boot, and a table of another boot is refused anyway.
 */
export interface SavedTable {
  /** Saves an update. `whole` is asked for the table with the update in it when the file is written anew. */
  save(update: TableUpdate, whole: () => TableUpdate): Promise<void>
  /** Removes the files of routers that have ended. Call when this router's own file is as new as any of them. */
  removeOthers(): Promise<void>
}

export interface SavedTableDeps {
  readonly folder: string
  readonly routerId: string
  readonly isGone: (routerId: string) => boolean
}

/** The file is written anew when its updates have outgrown the table this often, but not while it is small. */
const outgrown = 4
const smallBytes = 1024 * 1024

export function createSavedTable(deps: SavedTableDeps): SavedTable {
  const path = join(deps.folder, fileOf(deps.routerId))
  let wholeBytes = 0
  let bytes = 0
  const rewrite = async (whole: TableUpdate) => {
    const line = `${JSON.stringify(whole)}\n`
    await mkdir(deps.folder, { recursive: true, mode: 0o700 })
    await writeFileAtomically(path, line)
    wholeBytes = line.length
    bytes = line.length
  }
  return {
    async save(update, whole) {
      if (bytes === 0 || update.full || bytes > Math.max(smallBytes, wholeBytes * outgrown)) {
        return await rewrite(update.full ? update : whole())
      }
      const line = `${JSON.stringify(update)}\n`
      await appendFile(path, line)
      bytes += line.length
    },
    async removeOthers() {
      for (const routerId of await savedBy(deps.folder)) {
        if (routerId !== deps.routerId && deps.isGone(routerId))
          await rm(join(deps.folder, fileOf(routerId)), { force: true })
      }
    },
  }
}

const fileOf = (routerId: string) => `table-${routerId}.jsonl`

async function savedBy(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).flatMap((name) => /^table-(.+)\.jsonl$/.exec(name)?.[1] ?? [])
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return []
    throw error
  }
}

/** The updates of the newest table of this boot that any router saved, in their order; none: empty. */
export async function loadSavedTable(folder: string, bootId: string): Promise<readonly TableUpdate[]> {
  let best: readonly TableUpdate[] = []
  for (const routerId of await savedBy(folder)) {
    const updates = usable(await readFile(join(folder, fileOf(routerId)), 'utf8'), bootId)
    if ((updates.at(-1)?.revision ?? -1) > (best.at(-1)?.revision ?? -1)) best = updates
  }
  return best
}

/** A line that a crash cut off, and whatever follows it, is left out: it was not acknowledged. */
function usable(text: string, bootId: string): TableUpdate[] {
  const updates: TableUpdate[] = []
  let known: TablePosition | undefined
  for (const line of text.split('\n').slice(0, -1)) {
    const update = parse(line)
    if (!update || judgeUpdate(known, update, bootId) !== 'apply') break
    updates.push(update)
    known = update
  }
  return updates
}

function parse(line: string): TableUpdate | undefined {
  try {
    return JSON.parse(line) as TableUpdate
  } catch {
    return undefined
  }
}
