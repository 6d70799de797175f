import type { ErrorCode } from '@gantry/api'
import type { Clock } from '../../kernel/clock.ts'
import { UserError } from '../../kernel/errors.ts'
import type { ProgramProcess } from './program-process.ts'

/** Rejects when the process ends or time passes before it serves: with the `UserError` that it reported, or in words. */
export async function waitUntilReady(
  process: ProgramProcess,
  { name, clock, readyTimeoutMs }: { readonly name: string; readonly clock: Clock; readonly readyTimeoutMs: number },
): Promise<void> {
  const decided = new AbortController()
  const late = clock.wait(readyTimeoutMs, decided.signal).then(
    () => 'late' as const,
    () => 'late' as const,
  )
  const report = await Promise.race([process.report, late])
  decided.abort()
  if (report === 'late') throw new Error(`${name} was not ready after ${readyTimeoutMs / 1000} s`)
  if (report === undefined) throw new Error(`${name} ${await process.ended} before it was ready`)
  if (!report.ready) throw new UserError(report.code as ErrorCode, report.message)
}

/** SIGTERM, and SIGKILL to what is left after `graceMs`. Resolves when all have ended. */
export async function endProcesses(processes: readonly ProgramProcess[], graceMs: number, clock: Clock): Promise<void> {
  const done = new AbortController()
  const all = Promise.all(processes.map((process) => process.ended)).finally(() => done.abort())
  if (graceMs > 0) {
    for (const process of processes) process.signal('SIGTERM')
    await Promise.race([all, clock.wait(graceMs, done.signal).catch(() => undefined)])
  }
  if (!done.signal.aborted) for (const process of processes) process.signal('SIGKILL')
  await all
}
