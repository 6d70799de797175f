import { ApiError, PathParameterError, UnreachableError } from '@gantry/api'
import { CommandError, type ExitCode, exitCodeOf, exitCodes } from './exit-codes.ts'
import { printable } from './output/printable.ts'
import type { Terminal } from './output/terminal.ts'

/** Says what went wrong and what to do, as a sentence or as JSON on standard error; returns the exit code. */
export function reportError(terminal: Terminal, error: unknown, asJson: boolean): ExitCode {
  const { exitCode, message, hint, code, shown = message } = describeError(error)
  if (asJson) terminal.say(JSON.stringify({ error: { code, message, ...(hint && { hint }) } }))
  else {
    terminal.say(`${terminal.style('red', 'Error:')} ${printable(shown)}`)
    if (hint) terminal.say(printable(hint))
  }
  return exitCode
}

interface Described {
  readonly exitCode: ExitCode
  readonly code: string
  readonly message: string
  /** For people, where it differs: with the codes, by which documentation and search find an error. */
  readonly shown?: string
  readonly hint?: string | undefined
}

/** What went wrong, and what to do about it. */
export function describeError(error: unknown): Described {
  if (error instanceof CommandError) {
    return { exitCode: error.exitCode, code: error.code, message: error.message, hint: error.hint }
  }
  if (error instanceof ApiError) {
    const message = error.errors.length > 0 ? error.errors.map((one) => one.message).join('\n') : error.message
    const shown = error.errors.map((one) => `${one.message} [${one.code}]`).join('\n') || message
    return { exitCode: exitCodeOf(error.status), code: error.code, message, shown, hint: hintFor(error) }
  }
  if (error instanceof UnreachableError) {
    const hint = 'Is the platform up? Start it with: gantry up. Another one: set GANTRY_URL, or gantry login URL.'
    return { exitCode: exitCodes.unreachable, code: 'unreachable', message: error.message, hint }
  }
  if (error instanceof PathParameterError) {
    return { exitCode: exitCodes.usage, code: 'command_error', message: error.message }
  }
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return { exitCode: exitCodes.failed, code: 'internal_error', message, hint: 'This is a fault of gantry itself.' }
}

function hintFor(error: ApiError): string | undefined {
  if (error.status >= 500) return `Request ${error.requestId ?? 'unknown'}: the platform's log tells more.`
  if (error.status !== 401) return undefined
  return 'The token is that of GANTRY_TOKEN, else of `gantry login`, else of the platform on this machine. Sign in again: gantry login URL'
}
