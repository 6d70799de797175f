import { createHash } from 'node:crypto'
import { existsSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../../kernel/clock.ts'
import { isSystemError } from '../../kernel/errors.ts'
import { processTable } from '../instances/processes.ts'

/** A running server, from its `postmaster.pid` (a line each: pid, data folder, start, port, socket folder, address, memory, status). */
export interface Postmaster {
  readonly pid: number
  readonly startTicks: number
  readonly ready: boolean
}

/** The server of a data folder; undefined when none runs. A zombie, or a process that was given the pid later, is none. */
export function findPostmaster(dataFolder: string): Postmaster | undefined {
  let lines: string[]
  try {
    lines = readFileSync(join(dataFolder, 'postmaster.pid'), 'utf8').split('\n')
  } catch {
    return undefined
  }
  const pid = Number(lines[0])
  const found = Number.isSafeInteger(pid) && pid > 1 ? processTable.one(pid) : undefined
  if (found === undefined || found.zombie || !worksIn(pid, dataFolder)) return undefined
  return { pid, startTicks: found.startTicks, ready: lines[7]?.trim() === 'ready' }
}

/** The server's `cluster_name`, which stands in the title of each of its processes. */
export function clusterName(dataFolder: string): string {
  return `gantry-${createHash('sha256').update(dataFolder).digest('hex').slice(0, 8)}`
}

/** Every process of a server works in its data folder. Root without CAP_SYS_PTRACE, as in containers, may only read titles. */
function worksIn(pid: number, dataFolder: string): boolean {
  try {
    return readlinkSync(`/proc/${pid}/cwd`) === dataFolder
  } catch (error) {
    return isSystemError(error, 'EACCES', 'EPERM') && isTitled(pid, dataFolder)
  }
}

function isTitled(pid: number, dataFolder: string): boolean {
  const [file = '', ...args] = commandLine(pid)
  const isPostmaster = file.endsWith('/bin/postgres') && args[0] === '-D' && args[1] === dataFolder
  return isPostmaster || file.startsWith(`postgres: ${clusterName(dataFolder)}: `)
}

/** What a process shows as its arguments; empty when it has ended. */
export function commandLine(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
  } catch {
    return []
  }
}

/**
 * Makes way for a server after one that was killed. Its backends end by themselves; what is left after `graceMs` is
 * killed. Only when none is left may the lock files go: they keep two servers from writing the same data.
 */
export async function clearStaleServer(
  dataFolder: string,
  socketFolder: string,
  clock: Clock,
  graceMs = 5000,
): Promise<void> {
  const lock = join(dataFolder, 'postmaster.pid')
  if (!existsSync(lock)) return
  const deadline = clock.monotonicMs() + graceMs
  for (;;) {
    const left = processTable.all().filter(({ pid, zombie }) => !zombie && worksIn(pid, dataFolder))
    if (left.length === 0) break
    if (clock.monotonicMs() > deadline) for (const { pid } of left) process.kill(pid, 'SIGKILL')
    await clock.wait(20)
  }
  rmSync(lock, { force: true })
  rmSync(join(socketFolder, '.s.PGSQL.5432.lock'), { force: true })
}
