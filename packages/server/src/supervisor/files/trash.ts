import { lstatSync, mkdirSync, readdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { messageOf } from '../../kernel/errors.ts'
import type { Logger } from '../../kernel/logger.ts'
import { runArgv, type SpawnArgv } from '../../kernel/spawn-argv.ts'
import type { Entry } from './safe-path.ts'

/** Where removed things wait: a folder of the supervisor's alone, emptied in the background. */
export interface Trash {
  /** Moves an entry there, if it exists. */
  take(entry: Entry): void
}

export interface TrashDeps {
  readonly home: string
  readonly start: SpawnArgv
  readonly log: Logger
}

const env = { PATH: '/usr/bin:/bin', LC_ALL: 'C' }

export function openTrash(deps: TrashDeps): Trash {
  const folder = join(deps.home, 'state/trash')
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  let taken = readdirSync(folder).length
  let emptying = false
  let again = false
  const empty = async (): Promise<void> => {
    again = emptying
    if (emptying) return
    emptying = true
    try {
      await removeTrees(
        deps.start,
        readdirSync(folder).map((name) => join(folder, name)),
      )
    } catch (error) {
      deps.log.warn({ cause: messageOf(error) }, 'removed files are still there')
    }
    emptying = false
    if (again) await empty()
  }
  void empty()
  return {
    take(entry) {
      if (!lstatSync(entry.path, { throwIfNoEntry: false })) return
      renameSync(entry.path, join(folder, `${process.pid}-${taken++}-${performance.now().toString(36)}`))
      void empty()
    },
  }
}

/** By `rm`, which works through open folders: somebody who still has one open cannot lead it elsewhere. */
async function removeTrees(start: SpawnArgv, paths: readonly string[]): Promise<void> {
  for (let i = 0; i < paths.length; i += 100) {
    const some = paths.slice(i, i + 100)
    const remove = () => runArgv(start, 'rm', ['-rf', '--one-file-system', '--', ...some], { env })
    if ((await remove()).exitCode === 0) continue
    // Without root somebody's own folders that lack the write bit stand in the way; root never comes here for them.
    if (process.getuid?.() !== 0) await runArgv(start, 'chmod', ['-R', 'u+rwX', '--', ...some], { env })
    const result = await remove()
    if (result.exitCode !== 0) throw new Error(result.stderr.trim().slice(0, 500))
  }
}
