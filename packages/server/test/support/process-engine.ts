import type { ChildProcess } from 'node:child_process'
import { readdir, stat } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import type { Engine, ExitStatus, Observed, TaskSpec } from '../../src/engines/engine.ts'
import { spawnArgv } from '../../src/kernel/spawn-argv.ts'

export interface ProcessEngine extends Pick<Engine, 'startTask' | 'waitForTask' | 'observe' | 'stop' | 'forget'> {
  /** Lines that tasks wrote, by stream. */
  readonly lines: Map<string, string[]>
  /** Specs in the order in which they were started for the first time. */
  readonly started: TaskSpec[]
  /** Pids of the process groups that still have a process. */
  alive(): number[]
  /** Whoever waits for a task now waits for ever, as a control plane that was killed. */
  abandonWaiters(): void
  /** Makes the engine say that it does not know how a task ended, as after a crash of the supervisor. */
  lose(id: string): void
}

interface Task {
  readonly spec: TaskSpec
  readonly child: ChildProcess
  readonly ended: Promise<ExitStatus>
  exit?: ExitStatus
  reason?: ExitStatus['reason']
}

/** The task half of an engine: real processes of this user's, each in a group of its own. Kept in memory. */
export function createProcessEngine(): ProcessEngine {
  const tasks = new Map<string, Task>()
  const lines = new Map<string, string[]>()
  const started: TaskSpec[] = []
  const lost = new Set<string>()
  let generation = 0
  return {
    lines,
    started,
    abandonWaiters: () => void generation++,
    lose: (id) => void lost.add(id),
    alive: () => [...tasks.values()].flatMap(({ child }) => (child.pid && isGroupAlive(child.pid) ? [child.pid] : [])),
    async startTask(spec) {
      if (tasks.has(spec.id)) return
      started.push(spec)
      tasks.set(spec.id, startTask(spec, lines))
    },
    async waitForTask(id, signal) {
      const task = tasks.get(id)
      if (!task || lost.has(id)) return { reason: 'lost', code: null, signal: null, endedAt: new Date().toISOString() }
      const { promise, reject } = Promise.withResolvers<never>()
      signal.addEventListener('abort', () => reject(signal.reason), { once: true })
      const own = generation
      const exit = await Promise.race([task.ended, promise])
      return own === generation ? exit : await new Promise<never>(() => undefined)
    },
    async observe(scope) {
      return [...tasks.values()].flatMap((task): Observed[] => {
        const { id, labels } = task.spec
        if (scope !== 'all' && !scope.includes(id)) return []
        return [
          { id, kind: 'task', labels, state: task.exit ? 'ended' : 'running', ...(task.exit && { exit: task.exit }) },
        ]
      })
    },
    async stop(id) {
      const task = tasks.get(id)
      if (!task) return
      task.reason ??= 'stopped'
      killGroup(task.child)
      await task.ended
    },
    async forget(id) {
      tasks.delete(id)
    },
  }
}

function startTask(spec: TaskSpec, lines: Map<string, string[]>): Task {
  if (spec.place.kind !== 'folder') throw new Error('only builds run here')
  const [file, args] =
    spec.command.kind === 'shell' ? ['/bin/sh', ['-c', spec.command.line]] : [spec.command.file, spec.command.args]
  const child = spawnArgv(file, args, {
    cwd: spec.place.path,
    env: spec.env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const { promise, resolve } = Promise.withResolvers<ExitStatus>()
  const task: Task = { spec, child, ended: promise }
  const end = (reason: NonNullable<Task['reason']>) => {
    task.reason ??= reason
    killGroup(child)
  }
  const timer = setTimeout(() => end('timeout'), spec.timeoutMs)
  const watch = setInterval(() => void watchDisk(spec, end), 50)
  watchOutput(task, lines, end)
  child.once('close', (code, signal) => {
    clearTimeout(timer)
    clearInterval(watch)
    killGroup(child)
    task.exit = { reason: task.reason ?? (signal ? 'signal' : 'exit'), code, signal, endedAt: new Date().toISOString() }
    resolve(task.exit)
  })
  child.once('error', (error) => {
    task.exit = {
      reason: 'start_failed',
      code: null,
      signal: null,
      endedAt: new Date().toISOString(),
      message: error.message,
    }
    resolve(task.exit)
  })
  return task
}

function watchOutput({ spec, child }: Task, lines: Map<string, string[]>, end: (reason: 'output') => void): void {
  const kept = lines.get(spec.output.stream) ?? []
  lines.set(spec.output.stream, kept)
  let bytes = 0
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes > spec.maxOutputBytes) end('output')
    })
    createInterface({ input: stream ?? Readable.from([]) }).on('line', (line) => kept.push(line))
  }
}

async function watchDisk(spec: TaskSpec, end: (reason: 'disk') => void): Promise<void> {
  if (!spec.disk) return
  const entries = await readdir(spec.disk.path, { withFileTypes: true, recursive: true }).catch(() => [])
  let bytes = 0
  for (const entry of entries) {
    if (!entry.isFile()) continue
    bytes += await stat(`${entry.parentPath}/${entry.name}`).then(
      ({ size }) => size,
      () => 0,
    )
  }
  if (bytes > spec.disk.maxBytes) end('disk')
}

function killGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL')
  } catch {
    // nothing of the group is left
  }
}

function isGroupAlive(pid: number): boolean {
  try {
    process.kill(-pid, 0)
    return true
  } catch {
    return false
  }
}
