import type { Clock } from '../../kernel/clock.ts'
import { runArgv, type SpawnArgv } from '../../kernel/spawn-argv.ts'
import type { TaskLimits } from '../protocol.ts'

export interface TaskWatch {
  /** Counts output; ends the task when it is too much. */
  wrote(bytes: number): void
  close(): void
}

export interface TaskWatchDeps {
  readonly start: SpawnArgv
  readonly clock: Clock
  /** Called at most once for each reason. */
  exceeded(reason: 'timeout' | 'output' | 'disk'): void
}

const diskEveryMs = 2000

/** Holds a task to its limits, counted from `startedAt`. */
export function watchTask(limits: TaskLimits, startedAt: string, deps: TaskWatchDeps): TaskWatch {
  const closed = new AbortController()
  const leftMs = Date.parse(startedAt) + limits.timeoutMs - deps.clock.now().getTime()
  const within = (promise: Promise<void>): void => void promise.catch(() => undefined) // only ever rejected by `close`
  within(deps.clock.wait(Math.max(0, leftMs), closed.signal).then(() => deps.exceeded('timeout')))
  if (limits.disk) within(watchDisk(limits.disk, deps, closed.signal))
  let written = 0
  return {
    wrote(bytes) {
      const before = written
      written += bytes
      if (before <= limits.maxOutputBytes && written > limits.maxOutputBytes) deps.exceeded('output')
    },
    close: () => closed.abort(),
  }
}

/** Looks again after two seconds, or after ten times what the looking takes. */
async function watchDisk(
  disk: { readonly path: string; readonly maxBytes: number },
  deps: TaskWatchDeps,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    const before = deps.clock.monotonicMs()
    const bytes = await diskUsage(disk.path, deps.start)
    if (signal.aborted) return
    if (bytes > disk.maxBytes) return deps.exceeded('disk')
    await deps.clock.wait(Math.max(diskEveryMs, 10 * (deps.clock.monotonicMs() - before)), signal)
  }
}

/** By `du`, which follows nothing and works through open folders; the files of a running build come and go meanwhile. */
async function diskUsage(path: string, start: SpawnArgv): Promise<number> {
  const result = await runArgv(start, 'du', ['-s', '-B1', '--one-file-system', '--', path], {
    env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' },
  }).catch(() => undefined)
  return Number.parseInt(result?.stdout.toString() ?? '', 10) || 0
}
