import { join } from 'node:path'
import type { BuildStep } from '../builders/builder.ts'
import type { Command } from '../engines/engine.ts'
import type { BuildJob } from './build-job.ts'

export const systemPath = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin']

/**
 * The whole environment of a step: how the machine reaches registries, the step's own, the build config over both, and
 * what Gantry decides over all. Nothing of Gantry's own environment and no config of the app's.
 */
export function stepEnvironment(job: BuildJob, folder: string, step: BuildStep): Record<string, string> {
  const { workspace } = job
  const ownFolders = job.plan.pathFolders.map((path) => join(folder, path))
  return {
    CI: 'true',
    ...job.deps.machine.env,
    ...step.env,
    ...job.buildConfig,
    PATH: [...ownFolders, ...job.toolchainBins, workspace.bin, job.deps.node.binFolder, ...systemPath].join(':'),
    HOME: workspace.home,
    TMPDIR: workspace.tmp,
    SOURCE_COMMIT: job.build.commitSha,
    NPM_CONFIG_GLOBALCONFIG: workspace.npmrc,
    NPM_CONFIG_CACHE: job.cacheFolder,
    NPM_CONFIG_LOGS_MAX: '0',
    NPM_CONFIG_UPDATE_NOTIFIER: 'false',
  }
}

/** Commands of the toolchains by their own paths, so that nothing in PATH of the user's stands before them. */
export function stepCommand(job: BuildJob, step: BuildStep): Command {
  const { command } = step
  if (command.kind === 'shell') return command
  const path = job.commands[command.file]
  if (path === undefined) return { kind: 'argv', file: command.file, args: command.args }
  if (!path.endsWith('.js')) return { kind: 'argv', file: path, args: command.args }
  return { kind: 'argv', file: job.commands.node ?? 'node', args: [path, ...command.args] }
}
