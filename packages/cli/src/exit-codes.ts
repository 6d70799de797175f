/** What `gantry` ends with. docs/reference/cli.md lists them. */
export const exitCodes = {
  ok: 0,
  /** What was asked for was tried and failed: a deploy, a build. */
  failed: 1,
  usage: 2,
  /** Not signed in, or not permitted. */
  denied: 3,
  notFound: 4,
  /** The name is taken, or the thing is in a state that does not allow this. */
  conflict: 5,
  /** The platform does not answer, or says that it cannot for now. */
  unreachable: 6,
  interrupted: 130,
} as const

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]

/** The code, for programs, of what the command line itself refuses. */
export const commandErrorCode = 'command_error'

/** The user can mend it: one message, no stack. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
  readonly exitCode: ExitCode
  /** What to do about it, on a line of its own. */
  readonly hint: string | undefined
  /** For programs: that of the catalogue where the platform gave one. */
  readonly code: string
  constructor(exitCode: ExitCode, message: string, hint?: string, code: string = commandErrorCode) {
    super(message)
    this.exitCode = exitCode
    this.hint = hint
    this.code = code
  }
}

/** The exit code for an error of the API, by its HTTP status. */
export function exitCodeOf(status: number): ExitCode {
  if (status === 401 || status === 403) return exitCodes.denied
  if (status === 404) return exitCodes.notFound
  if (status === 409 || status === 412) return exitCodes.conflict
  if (status === 502 || status === 503 || status === 504) return exitCodes.unreachable
  if (status === 400 || status === 413 || status === 415) return exitCodes.usage
  return exitCodes.failed
}
