import type { Database } from '../db/database.ts'
import type { DeployId } from '../kernel/ids.ts'
import { type Bell, createBell } from '../work/bell.ts'

/** Lets a process wait for a change of a deploy. NOTIFY `deploys` is a hint; whoever waits looks again in any case. */
export interface DeployWatch {
  /** Remembers changes from now on. `close` it. */
  open(ids: readonly DeployId[]): Watching
}

export interface Watching {
  /** Resolves at the next change, at once when there was one since the last call, and after `ms` in any case. */
  next(ms: number): Promise<void>
  /** Ends the current wait. */
  wake(): void
  close(): void
}

export function createDeployWatch(db: Database): DeployWatch {
  const bells = new Map<string, Set<Bell>>()
  const ring = (id: string) => {
    for (const bell of bells.get(id) ?? []) bell.ring()
  }
  let isListening = false
  return {
    open(ids) {
      if (!isListening) {
        isListening = true
        // without the hint every wait is as long as its poll, which is slow and right
        db.listen('deploys', ring).catch(() => {
          isListening = false
        })
      }
      const bell = createBell()
      for (const id of ids) bells.set(id, (bells.get(id) ?? new Set()).add(bell))
      return {
        next: (ms) => bell.wait(ms),
        wake: () => bell.ring(),
        close() {
          for (const id of ids) {
            const set = bells.get(id)
            set?.delete(bell)
            if (set?.size === 0) bells.delete(id)
          }
        },
      }
    },
  }
}
