import type { GitProcess } from './git-process.ts'
import { type ObjectProcess, startObjectProcess } from './object-process.ts'
import { createObjectReader, type ObjectReader } from './object-reader.ts'
import { createSlots } from './slots.ts'

/**
 * Processes that read objects, kept for a while after their use: on the way of a push, starting one would cost more than
 * what it is asked for. One user at a time has a process, so that a large export holds up nobody.
 */
export interface ObjectPool {
  use<T>(repository: string, body: (reader: ObjectReader) => Promise<T>): Promise<T>
  /** Starts a process for this repository if none is idle: it will be asked something soon. */
  warm(repository: string): void
  /** Ends the idle processes of a repository that is about to be deleted. */
  drop(repository: string): void
  close(): void
}

interface Idle {
  readonly repository: string
  readonly process: ObjectProcess
  readonly timer: NodeJS.Timeout
}

const idleMs = 20_000
const maxIdle = 12
const maxInUse = 24

export function createObjectPool(git: GitProcess): ObjectPool {
  const idle: Idle[] = []
  const slots = createSlots(maxInUse)
  let closed = false

  const remove = (entry: Idle): void => {
    clearTimeout(entry.timer)
    idle.splice(idle.indexOf(entry), 1)
  }
  const end = (entry: Idle): void => {
    remove(entry)
    entry.process.close()
  }
  const keep = (repository: string, process: ObjectProcess): void => {
    if (closed || !process.isUsable) {
      process.close()
      return
    }
    const timer = setTimeout(() => end(entry), idleMs)
    timer.unref()
    const entry: Idle = { repository, process, timer }
    idle.push(entry)
    if (idle.length > maxIdle && idle[0]) end(idle[0])
  }
  const take = (repository: string): ObjectProcess => {
    const entry = idle.findLast((candidate) => candidate.repository === repository)
    if (!entry) return startObjectProcess(git, repository)
    remove(entry)
    return entry.process.isUsable ? entry.process : take(repository)
  }
  return {
    use: (repository, body) =>
      slots(async () => {
        const process = take(repository)
        try {
          const result = await body(createObjectReader(process))
          keep(repository, process)
          return result
        } catch (error) {
          process.abandon()
          throw error
        }
      }),
    warm(repository) {
      if (idle.some((entry) => entry.repository === repository)) return
      keep(repository, startObjectProcess(git, repository))
    },
    drop(repository) {
      for (const entry of idle.filter((candidate) => candidate.repository === repository)) end(entry)
    },
    close() {
      closed = true
      for (const entry of [...idle]) end(entry)
    },
  }
}
