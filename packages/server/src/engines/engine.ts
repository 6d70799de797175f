/**
 * The engine port: where instances and tasks run. One page of promises; `engine-contract.ts` holds every engine and the
 * fake to them.
 *
 * - The caller picks ids. Starting the same id twice is one instance, the second call returns when it exists.
 * - Stopping an unknown id succeeds.
 * - `observe` is the truth. `hints` only wake someone: one may be lost, repeated or late.
 * - Everything an engine makes is labelled as Gantry's; nothing unlabelled is ever touched.
 * - A non-zero exit is a value, never an exception. Exceptions are `EngineUnavailable` (try again later) and
 *   `SpecRejected` (tell the user); anything else is a bug.
 * - A call carries the fencing number of the work it belongs to; for one scope an engine refuses a number lower than
 *   the highest it has seen, with `Fenced`.
 * - An aborted call leaves nothing half-made: what it started is found by `observe` or is gone.
 * - Calls for different ids may overlap. Calls for one id are the caller's to order.
 */
export interface Engine {
  readonly name: EngineName
  readonly capabilities: EngineCapabilities
  /** What the platform may say about this engine right now. Never throws. */
  check(signal: AbortSignal): Promise<EngineHealth>
  /** Gantry's instances and tasks, running or ended and not yet forgotten: all, or those of the ids that exist. */
  observe(scope: 'all' | readonly string[], signal: AbortSignal): Promise<readonly Observed[]>
  start(spec: InstanceSpec, fence: Fence, signal: AbortSignal): Promise<void>
  /** Starts something that runs to its end; the end shows in `observe`. */
  startTask(spec: TaskSpec, fence: Fence, signal: AbortSignal): Promise<void>
  /** Resolves when the task with this id has ended. Unknown ids resolve as `lost`. */
  waitForTask(id: string, signal: AbortSignal): Promise<ExitStatus>
  /** SIGTERM, `graceMs`, SIGKILL, until no process of it is left. Resolves then. Keeps the exit status. */
  stop(id: string, options: StopOptions, fence: Fence, signal: AbortSignal): Promise<void>
  /** Drops what is kept about an ended id: exit status, working files. Its output stays. Unknown ids succeed. */
  forget(id: string, fence: Fence, signal: AbortSignal): Promise<void>
  /** TCP listeners that belong to the instance's own processes, on any interface. */
  listeners(id: string, signal: AbortSignal): Promise<readonly Listener[]>
  /** Emits the id of something that changed, or `undefined` when anything may have: hints were lost. Ends when aborted. */
  hints(signal: AbortSignal): AsyncIterable<string | undefined>
}

export type EngineName = 'local' | 'docker' | 'kubernetes' | 'fake'

export interface EngineCapabilities {
  readonly accepts: readonly ArtifactKind[]
  /** Addresses are assigned by Gantry (a port of 20000-29999) and not by the engine. */
  readonly assignsPorts: boolean
  readonly volumes: boolean
  readonly multiHost: boolean
}

export type ArtifactKind = 'slug' | 'image'

export interface EngineHealth {
  readonly ok: boolean
  /** 0-4, `reference/reliability` §4.4: what separates apps from each other and from the platform. */
  readonly isolationLevel: number
  readonly isolation: string
  /** What stands between this machine and the next level, in sentences. */
  readonly missing: readonly string[]
  readonly message?: string
}

/** Fencing: `number` only grows; `scope` is what the writer owns (an environment's or a deploy's id). */
export interface Fence {
  readonly scope: string
  readonly number: number
}

/** Where an instance answers. A value, so that Unix sockets and remote pods fit. */
export type Address =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string }

export interface Limits {
  readonly memoryBytes?: number
  readonly processes?: number
  readonly openFiles?: number
  /** Largest file that may be written, in bytes. */
  readonly fileBytes?: number
}

/** Uid and gid to run as. Ignored by an engine whose supervisor is not root. */
export interface RunAs {
  readonly uid: number
  /** Default: the same number as `uid`. A build has its own uid and its app's gid. */
  readonly gid?: number
}

interface ProcessSpec {
  readonly id: string
  /** Labels: which team, app and environment it belongs to. */
  readonly labels: Readonly<Record<string, string>>
  /** A folder made for this process alone (a copy of it, for an instance), owned by it. */
  readonly command: Command
  readonly env: Readonly<Record<string, string>>
  readonly runAs: RunAs
  readonly limits: Limits
  /** Name of the output stream its lines go to (`app/<app id>`, `build/<build id>`, …) and the tag of each line. */
  readonly output: OutputTarget
}

export interface OutputTarget {
  readonly stream: string
  readonly source: string
  /** Size the whole stream may keep, in bytes; the oldest segments go first. */
  readonly maxStreamBytes: number
}

/** `shell`: a user's own line, run as `/bin/sh -c`, as the app in its sandbox. `argv`: Gantry's own. */
export type Command =
  | { readonly kind: 'shell'; readonly line: string }
  | { readonly kind: 'argv'; readonly file: string; readonly args: readonly string[] }

export interface InstanceSpec extends ProcessSpec {
  readonly artifact: ArtifactRef
  readonly address: Address | undefined
}

export interface TaskSpec extends ProcessSpec {
  /** A task runs in a copy of an artifact (release phase, one-off), or in a folder of its own (build). */
  readonly place:
    | { readonly kind: 'artifact'; readonly artifact: ArtifactRef }
    | { readonly kind: 'folder'; readonly path: string }
  readonly timeoutMs: number
  /** Bytes of output after which the task is stopped with the reason `output`. */
  readonly maxOutputBytes: number
  /** Folder whose size is watched, and the size at which the task is stopped with the reason `disk`. */
  readonly disk?: { readonly path: string; readonly maxBytes: number }
}

/** A slug: the app layer's folder and, where there is one, the dependency layer's, to appear as `links`. */
export interface ArtifactRef {
  readonly kind: ArtifactKind
  readonly path: string
  /** Read-only folders that the app sees: name inside the app's folder → absolute path. */
  readonly links: Readonly<Record<string, string>>
}

export interface StopOptions {
  readonly graceMs: number
}

export interface Listener {
  readonly host: string
  readonly port: number
}

export type EndReason =
  | 'exit'
  | 'signal'
  | 'timeout'
  | 'output'
  | 'disk'
  | 'stopped'
  | 'memory'
  | 'start_failed'
  | 'lost'

export interface ExitStatus {
  readonly reason: EndReason
  readonly code: number | null
  readonly signal: string | null
  readonly endedAt: string
  /** For `start_failed`: why. */
  readonly message?: string
}

export interface Observed {
  readonly id: string
  readonly kind: 'instance' | 'task'
  readonly state: 'starting' | 'running' | 'ended'
  readonly labels: Readonly<Record<string, string>>
  readonly pid?: number
  /** RFC 3339. */
  readonly startedAt?: string
  readonly exit?: ExitStatus
}

export class EngineUnavailable extends Error {
  override readonly name = 'EngineUnavailable'
}
export class SpecRejected extends Error {
  override readonly name = 'SpecRejected'
}
export class Fenced extends Error {
  override readonly name = 'Fenced'
}
