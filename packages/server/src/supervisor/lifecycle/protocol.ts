import type { NoArgs, ProgramName, ProgramStatus } from '../protocol.ts'

/**
 * The lifecycle's socket, `GANTRY_HOME/run/lifecycle.sock`: the messages of `../protocol.ts` with the verbs below. It is
 * apart from the supervisor's socket because an upgrade names a program that runs with the supervisor's rights: only the
 * supervisor's own user and root may connect (0600), the control plane may not.
 */
export interface LifecycleVerbs {
  status: { args: NoArgs; result: LifecycleStatus }
  /** Stops everything, instances included, and ends the supervisor. Replies before it begins; the connection closes at the end. */
  down: { args: NoArgs; result: null }
  /** A new process of one program. Replies when it serves. */
  replaceProgram: { args: { program: ProgramName }; result: null }
  /** A new supervisor, control plane and router of the code that is on disk now; apps keep serving. Replies as `upgrade` does. */
  restart: { args: NoArgs; result: { pid: number } }
  /**
   * Starts another supervisor, which takes over; apps and database keep running. Replies with its pid when it is loaded and about
   * to take over, and refuses, leaving everything as it was, when it does not come so far. It serves when `status` says so.
   */
  upgrade: { args: UpgradeArgs; result: { pid: number } }
}

export interface UpgradeArgs {
  readonly file: string
  readonly args: readonly string[]
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
}

export interface LifecycleStatus {
  readonly pid: number
  /** RFC 3339. */
  readonly startedAt: string
  readonly state: 'starting' | 'ready' | 'stopping'
  readonly version: string
  readonly build: string
  readonly home: string
  readonly apiUrl: string
  readonly httpPort: number
  readonly programs: readonly ProgramStatus[]
}
