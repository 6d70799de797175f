import type { ChildProcess } from '../../kernel/spawn-argv.ts'
import { type ArgvOptions, type RunResult, runArgv, type SpawnArgv } from '../../kernel/spawn-argv.ts'

/** git ended in a way it should not have. `stderr` is git's own text and may hold what a pusher wrote. */
export class GitFailed extends Error {
  override readonly name = 'GitFailed'
  readonly stderr: string
  constructor(what: string, exitCode: number | null, stderr: string) {
    super(`git ${what} ended with ${exitCode ?? 'a signal'}: ${stderr.trim().slice(0, 500)}`)
    this.stderr = stderr
  }
}

export interface GitProcessDeps {
  readonly spawn: SpawnArgv
  /** Where `git` is looked for: a PATH. */
  readonly searchPath: string
  /** Largest pack that a push may have, in bytes. */
  readonly maxPackBytes: number
}

/** Settings of one command besides those that every command has. */
export type GitSettings = Readonly<Record<string, string>>

export interface GitProcess {
  /** Starts git on a bare repository; all three standard streams are pipes. `args[0]` is the subcommand. */
  start(repository: string, args: readonly string[], options?: StartOptions): ChildProcess
  /** Runs git on a bare repository to its end. A non-zero exit is a value. */
  run(repository: string, args: readonly string[], options?: RunOptions): Promise<RunResult>
}

export interface StartOptions {
  readonly settings?: GitSettings
  /** `Git-Protocol` of a request. */
  readonly protocol?: string | undefined
}

export interface RunOptions extends StartOptions {
  readonly input?: string | Uint8Array
}

/**
 * What stands between a hostile repository and this machine, whatever a caller forgets: no configuration but ours, no
 * hooks, no helpers, no transports, no repository found by walking, objects checked as they come in.
 */
const hardening: GitSettings = {
  'safe.bareRepository': 'explicit',
  'protocol.allow': 'never',
  'core.hooksPath': '/dev/null',
  'core.fsmonitor': 'false',
  'core.attributesFile': '/dev/null',
  // Larger blobs are streamed instead of being held in memory.
  'core.bigFileThreshold': '32m',
  'core.logAllRefUpdates': 'false',
  'core.protectHFS': 'true',
  'core.protectNTFS': 'true',
  // Every push stays a pack: git syncs packs to disk and loose objects not, and one pack is the faster of the two.
  'transfer.unpackLimit': '1',
  'fastimport.unpackLimit': '1',
  'credential.helper': '',
  'gc.auto': '0',
  'maintenance.auto': 'false',
  'receive.autogc': 'false',
  'transfer.fsckObjects': 'true',
  'receive.fsckObjects': 'true',
}

/** Faults that git's checks find in old and harmless commits of many well-known repositories. */
const forgiven: GitSettings = Object.fromEntries(
  ['badTimezone', 'missingSpaceBeforeDate', 'zeroPaddedFilemode', 'zeroPaddedDate'].map((id) => [
    `receive.fsck.${id}`,
    'ignore',
  ]),
)

export function createGitProcess(deps: GitProcessDeps): GitProcess {
  const { spawn, searchPath, maxPackBytes } = deps
  const always = { ...hardening, ...forgiven, 'receive.maxInputSize': String(maxPackBytes) }
  const argv = (repository: string, args: readonly string[], settings: GitSettings = {}): string[] => {
    const pairs = Object.entries({ ...always, ...settings })
    return [...pairs.flatMap(([name, value]) => ['-c', `${name}=${value}`]), `--git-dir=${repository}`, ...args]
  }
  const environment = (protocol: string | undefined): ArgvOptions['env'] => ({
    PATH: searchPath,
    HOME: '/nonexistent',
    LC_ALL: 'C',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_NO_REPLACE_OBJECTS: '1',
    // git refuses any single allocation above this: what an object that unpacks to more than memory would need.
    GIT_ALLOC_LIMIT: '512m',
    ...(protocol === undefined ? {} : { GIT_PROTOCOL: protocol }),
  })
  return {
    start: (repository, args, options = {}) =>
      spawn('git', argv(repository, args, options.settings), {
        cwd: '/',
        env: environment(options.protocol),
        stdio: ['pipe', 'pipe', 'pipe'],
      }),
    run: (repository, args, options = {}) =>
      runArgv(spawn, 'git', argv(repository, args, options.settings), {
        cwd: '/',
        env: environment(options.protocol),
        ...(options.input === undefined ? {} : { input: options.input }),
      }),
  }
}

/** Runs git and throws `GitFailed` on a non-zero exit. */
export async function runGit(
  git: GitProcess,
  repository: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Buffer> {
  const { exitCode, stdout, stderr } = await git.run(repository, args, options)
  if (exitCode !== 0) throw new GitFailed(args[0] ?? '', exitCode, stderr)
  return stdout
}
