import type { ErrorCode } from '@gantry/api'
import type { BuildStep } from '../builders/builder.ts'
import type { ExitStatus } from '../engines/engine.ts'
import { UserError } from '../kernel/errors.ts'
import type { BuildLimits } from './builds-deps.ts'

const linesShown = 10
const lineLength = 200

/** Lines that say nothing about the failure itself. */
const noise = /^\s*$|^npm (?:error|warn|notice)\s*$|A complete log of this run|Log files were not written|^npm notice/

export function isSuccess(exit: ExitStatus): boolean {
  return exit.reason === 'exit' && exit.code === 0
}

/** Ended by something outside the build, which is then tried again: a lost exit status, a stop of Gantry itself. */
export function isInterrupted(exit: ExitStatus): boolean {
  return exit.reason === 'lost' || exit.reason === 'stopped'
}

/**
 * The error for a step that did not succeed: what ended it, and its last lines. A failure that the step's output names
 * shows the lines from there on, for programs go on to print their whole usage.
 */
export function stepFailure(
  step: BuildStep,
  exit: ExitStatus,
  lastLines: readonly string[],
  limits: BuildLimits,
): UserError {
  const { code, message } = describe(step, exit, limits)
  const begun = lastLines.findLastIndex((line) => line.startsWith('-----> ')) // what was said before was of other steps
  const lines = lastLines.slice(begun + 1).filter((line) => !noise.test(line))
  for (const { output, errorCode } of exit.reason === 'exit' ? (step.failures ?? []) : []) {
    const at = lines.findLastIndex((line) => output.test(line))
    if (at >= 0) return new UserError(errorCode, withLines(`${message} It said:`, lines.slice(at, at + linesShown)))
  }
  const end = lines.slice(-linesShown)
  return new UserError(code, end.length === 0 ? message : withLines(`${message} Its last lines:`, end))
}

function withLines(message: string, lines: readonly string[]): string {
  return [message, ...lines.map((line) => `  ${[...line].slice(0, lineLength).join('')}`)].join('\n')
}

function describe(step: BuildStep, exit: ExitStatus, limits: BuildLimits): { code: ErrorCode; message: string } {
  const code = step.errorCode
  switch (exit.reason) {
    case 'timeout':
      return {
        code: 'build_timed_out',
        message: `"${step.name}" was stopped: a build may take ${minutes(limits.timeMs)}.`,
      }
    case 'output':
      return {
        code: 'build_output_exceeded',
        message: `"${step.name}" was stopped: it wrote more than ${formatBytes(limits.outputBytes)} of output.`,
      }
    case 'disk':
      return {
        code: 'build_disk_exceeded',
        message: `"${step.name}" was stopped: its folder grew beyond ${formatBytes(limits.diskBytes)}.`,
      }
    case 'memory':
      return { code: 'build_memory_exceeded', message: `"${step.name}" ran out of memory.` }
    case 'start_failed':
      return { code, message: `"${step.name}" could not be started: ${exit.message ?? 'no reason is known'}.` }
    case 'signal':
      return { code, message: `"${step.name}" was ended by signal ${exit.signal ?? 'unknown'}.` }
    default:
      return { code, message: `"${step.name}" failed with exit code ${exit.code ?? 'unknown'}.` }
  }
}

function minutes(ms: number): string {
  return ms < 60_000 ? `${formatSeconds(ms)}` : `${Math.round(ms / 60_000)} min`
}

/** `3.2 s` */
export function formatSeconds(ms: number): string {
  return ms < 100 ? `${Math.max(1, Math.round(ms))} ms` : `${(ms / 1000).toFixed(1)} s`
}

/** `12.3 MB`, in powers of 1000. */
export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`
  const units = ['kB', 'MB', 'GB', 'TB']
  const power = Math.min(Math.floor(Math.log10(bytes) / 3), units.length)
  const value = bytes / 1000 ** power
  return `${value < 10 && power > 1 ? value.toFixed(1) : Math.round(value)} ${units[power - 1]}`
}
