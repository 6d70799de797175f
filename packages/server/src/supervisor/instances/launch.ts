import { accessSync, closeSync, constants, statSync } from 'node:fs'
import { join } from 'node:path'
import type { SpawnArgv } from '../../kernel/spawn-argv.ts'
import type { Owner } from '../files/tree.ts'
import type { SpawnSpec } from '../protocol.ts'
import { type LaunchTools, launchArgv } from './command.ts'
import { type Fifos, openBothEnds } from './fifos.ts'
import { idVariable, type ProcessTable } from './processes.ts'
import type { Workspace } from './workspace.ts'

export interface LaunchDeps {
  readonly start: SpawnArgv
  readonly fifos: Fifos
  readonly table: ProcessTable
  readonly tools: LaunchTools
}

/** A process that runs, and the reading end of its output. */
export interface Launched {
  readonly child: ReturnType<SpawnArgv>
  readonly pid: number
  readonly startTicks: number
  readonly readEnd: number
}

const defaultPath = '/usr/local/bin:/usr/bin:/bin'

/**
 * Starts the process in a session of its own, under its uid, with its output on a pipe. Rejects with a sentence when it
 * cannot be started. What is executed first already has the uid: nothing of the app's environment ever acts as root.
 */
export async function launch(
  deps: LaunchDeps,
  spec: SpawnSpec,
  workspace: Workspace,
  owner: Owner | undefined,
): Promise<Launched> {
  const wanted = environmentOf(spec, workspace)
  if (spec.command.kind === 'argv') findProgram(spec.command.file, wanted.PATH ?? defaultPath, workspace.cwd)
  const { argv, env } = launchArgv(spec.command, spec.limits, wanted, deps.tools)
  const { readEnd, writeEnd } = openBothEnds(await deps.fifos.take(spec.id, owner))
  try {
    const child = deps.start(argv.file, argv.args, {
      ...(owner ? { uid: owner.uid, gid: owner.gid } : {}),
      cwd: workspace.cwd,
      env,
      detached: true,
      stdio: ['ignore', writeEnd, writeEnd],
    })
    child.unref()
    await new Promise<void>((resolve, reject) => {
      child.once('error', reject)
      child.once('spawn', resolve)
    })
    const pid = child.pid ?? 0
    // Until its end is reaped, at the next turn of the event loop at the earliest, even an ended child has its entry.
    const startTicks = deps.table.one(pid)?.startTicks ?? 0
    return { child, pid, startTicks, readEnd }
  } catch (error) {
    closeSync(readEnd)
    throw error
  } finally {
    closeSync(writeEnd)
  }
}

function environmentOf(spec: SpawnSpec, workspace: Workspace): Record<string, string> {
  const own = { [idVariable]: spec.id, PATH: defaultPath, HOME: workspace.home, TMPDIR: workspace.tmp }
  const env = { ...own, ...spec.env, [idVariable]: spec.id }
  return { ...env, PATH: absolutePath(env.PATH, workspace.cwd) }
}

/** Relative folders in PATH (`node_modules/.bin`) are those of the app's folder, wherever its processes go from there. */
function absolutePath(path: string, cwd: string): string {
  const folders = path.split(':')
  return folders.map((folder) => (folder === '' || folder.startsWith('/') ? folder : join(cwd, folder))).join(':')
}

/** The programs in front set limits and would report a missing one only in the app's output. */
function findProgram(file: string, path: string, cwd: string): void {
  const candidates = file.includes('/')
    ? [join(file.startsWith('/') ? '/' : cwd, file)]
    : path.split(':').map((p) => join(p, file))
  if (!candidates.some(isProgram)) throw new Error(`${file}: no such program in ${file.includes('/') ? cwd : path}`)
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}
