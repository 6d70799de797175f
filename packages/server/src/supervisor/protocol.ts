/**
 * The supervisor's socket, `GANTRY_HOME/run/supervisor.sock`: newline-delimited JSON over a Unix stream socket whose mode
 * (0600, the control plane's uid) is the authentication; root passes by nature.
 *
 *   → {"id": 7, "verb": "start", "args": {…}}            `id` is the client's, unique on its connection
 *   ← {"id": 7, "ok": …}  or  {"id": 7, "error": {"name": "Fenced", "message": "…"}}
 *   ← {"hint": "ins-…"}                                  to connections that asked with `hints`; may be lost, never late by design
 *
 * Replies come in the order things finish, not in the order of the requests. The types stand on their own, apart from the
 * engine port: the supervisor outlives control planes of other versions. A field may be added, never renamed;
 * `protocolVersion` rises when a client must know.
 */
export const protocolVersion = 1

/** Longest request or reply line in bytes; a longer one closes the connection. */
export const maxMessageBytes = 8 * 1024 * 1024

/** Every verb with its arguments and its result. */
export interface Verbs {
  hello: { args: NoArgs; result: Hello }
  /** From now on this connection gets `{hint}` messages. */
  hints: { args: NoArgs; result: Done }
  /** Idempotent by `spec.id`. Replies when the process runs, or when its end (`start_failed`) is recorded. */
  start: { args: { spec: SpawnSpec; fence: WireFence }; result: Done }
  /** Replies when no process of it is left. An unknown id succeeds. */
  stop: { args: { id: string; graceMs: number; fence: WireFence }; result: Done }
  /** Refused (`NotEnded`) while it runs. An unknown id succeeds. */
  forget: { args: { id: string; fence: WireFence }; result: Done }
  observe: { args: { ids?: readonly string[] }; result: readonly Status[] }
  listeners: { args: { id: string }; result: readonly WireListener[] }
  /** Lines of the control plane's own, stamped on arrival. */
  append: { args: AppendArgs; result: Done }
  /** Deletes a stream (`app/…/…`) or all streams below a prefix (`app/<app id>`). */
  removeStream: { args: { stream: string }; result: Done }
  /** Makes a folder below `builds/` or `layers/` (and everything in it) this owner's, top folder 0700: a build's. */
  give: { args: { path: string; uid: number; gid: number }; result: Done }
  /** Ends a build's ownership: control plane's uid, `gid` the app's, folders 0750, files 0440 or 0550. */
  seal: { args: { path: string; gid: number }; result: Done }
  /** Removes a file or tree. A missing path succeeds. */
  remove: { args: { path: string }; result: Done }
  /** The programs that the supervisor keeps running. */
  status: { args: NoArgs; result: SupervisorStatus }
  /** Starts a new process of the program and ends the old one when the new one is ready. */
  replaceProgram: { args: { program: ProgramName }; result: Done }
  /** Stops everything, instances included, and ends the supervisor. Replies before it begins. */
  down: { args: NoArgs; result: Done }
  /** Ends the supervisor and leaves every instance running, for a new supervisor (an upgrade) to adopt. */
  replace: { args: NoArgs; result: Done }
}

export type Verb = keyof Verbs
export type NoArgs = Record<string, never>
export type Done = null

/** Implements verbs. A thrown `Refusal` reaches the client by name; anything else as `Internal`. */
export type VerbHandlers = { [V in Verb]: (args: Verbs[V]['args']) => Promise<Verbs[V]['result']> }

export interface Request<V extends Verb = Verb> {
  readonly id: number
  readonly verb: V
  readonly args: Verbs[V]['args']
}

export type Reply =
  | { readonly id: number; readonly ok: unknown }
  | { readonly id: number; readonly error: { readonly name: RefusalName; readonly message: string } }

export interface Hint {
  readonly hint: string
}

/**
 * `Fenced`: a newer owner of the scope has spoken. `SpecRejected`: what was asked for cannot be. `NotEnded`: it still
 * runs. `Stopping`: the supervisor is going down. `BadRequest`: not this protocol. `Internal`: a fault of the supervisor.
 */
export type RefusalName = 'Fenced' | 'SpecRejected' | 'NotEnded' | 'Stopping' | 'BadRequest' | 'Internal'

/** An answer that is not `ok`, on both sides of the socket. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly refusal: RefusalName
  constructor(refusal: RefusalName, message: string) {
    super(message)
    this.refusal = refusal
  }
}

export interface Hello {
  readonly protocolVersion: number
  readonly pid: number
  /** RFC 3339. */
  readonly startedAt: string
  /** Whether instances run under uids of their own. */
  readonly root: boolean
  /** What can be enforced here: per-process limits (prlimit), control groups, no_new_privs (setpriv). */
  readonly prlimit: boolean
  readonly setpriv: boolean
  readonly cgroup: 'v1' | 'v2' | 'none'
}

export type ProgramName = 'control-plane' | 'router' | 'postgres'

export interface SupervisorStatus {
  readonly pid: number
  readonly startedAt: string
  readonly programs: readonly ProgramStatus[]
}

export interface ProgramStatus {
  readonly name: ProgramName
  readonly state: 'starting' | 'running' | 'waiting' | 'stopped'
  readonly pid?: number
  readonly startedAt?: string
  /** How often it has ended by itself since the supervisor started. */
  readonly restarts: number
  /** The last end, in words. */
  readonly message?: string
}

/** For one scope a number lower than the highest seen is refused. */
export interface WireFence {
  readonly scope: string
  readonly number: number
}

export interface SpawnSpec {
  readonly kind: 'instance' | 'task'
  readonly id: string
  readonly labels: Readonly<Record<string, string>>
  readonly command: SpawnCommand
  /**
   * The whole environment but for GANTRY_INSTANCE_ID, and HOME, TMPDIR and PATH where it does not name them. Relative
   * folders in PATH are those of the working folder.
   */
  readonly env: Readonly<Record<string, string>>
  readonly runAs: { readonly uid: number; readonly gid: number }
  readonly limits: SpawnLimits
  readonly output: SpawnOutput
  readonly place: SpawnPlace
  /** Only for tasks. */
  readonly task?: TaskLimits
}

export type SpawnCommand =
  | { readonly kind: 'shell'; readonly line: string }
  | { readonly kind: 'argv'; readonly file: string; readonly args: readonly string[] }

export interface SpawnLimits {
  readonly memoryBytes?: number
  readonly processes?: number
  readonly openFiles?: number
  readonly fileBytes?: number
}

export interface SpawnOutput {
  readonly stream: string
  readonly source: string
  readonly maxStreamBytes: number
}

/**
 * `copy`: a private writable copy of a folder below `artifacts/`, with `links` (name → absolute path below `layers/` or
 * `toolchains/`) as symbolic links in it. `folder`: works where it is, below `builds/` or `layers/`.
 */
export type SpawnPlace =
  | { readonly kind: 'copy'; readonly path: string; readonly links: Readonly<Record<string, string>> }
  | { readonly kind: 'folder'; readonly path: string }

export interface TaskLimits {
  readonly timeoutMs: number
  readonly maxOutputBytes: number
  readonly disk?: { readonly path: string; readonly maxBytes: number }
}

export interface Status {
  readonly id: string
  readonly kind: 'instance' | 'task'
  readonly state: 'starting' | 'running' | 'ended'
  readonly labels: Readonly<Record<string, string>>
  readonly pid?: number
  readonly startedAt?: string
  readonly exit?: ExitRecord
}

export type EndedBy = 'exit' | 'signal' | 'timeout' | 'output' | 'disk' | 'stopped' | 'memory' | 'start_failed' | 'lost'

export interface ExitRecord {
  readonly reason: EndedBy
  readonly code: number | null
  readonly signal: string | null
  readonly endedAt: string
  readonly message?: string
}

export interface WireListener {
  readonly host: string
  readonly port: number
}

export interface AppendArgs {
  readonly stream: string
  readonly source: string
  readonly lines: readonly string[]
  readonly maxStreamBytes: number
}
