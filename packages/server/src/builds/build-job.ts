import { join } from 'node:path'
import { systemScope, type TeamScope } from '../access/index.ts'
import type { BuildPlan } from '../builders/builder.ts'
import { type BuildRequest, type BuiltApp, outputStream } from './build.ts'
import type { BuildsDeps } from './builds-deps.ts'

/** One run of one build: what every part of it needs to know. */
export interface BuildJob {
  readonly deps: BuildsDeps
  readonly scope: TeamScope
  readonly build: BuildRequest['build']
  readonly app: BuiltApp
  readonly buildConfig: Readonly<Record<string, string>>
  readonly fence: number
  readonly signal: AbortSignal
  readonly startedAt: Date
  readonly plan: BuildPlan
  readonly treeId: string
  readonly stream: string
  readonly workspace: WorkspacePaths
  /** npm's cache, kept from build to build of one app. */
  readonly cacheFolder: string
  /** What is done or found out once a run, when it is first needed. */
  readonly progress: Progress
  /** Absolute paths of the toolchains' commands: Gantry's own until a layer brings others. */
  readonly commands: Record<string, string>
  /** `bin` folders of toolchains that are layers. */
  readonly toolchainBins: string[]
  /** A line under the last heading. */
  say(line: string): void
  head(line: string): void
}

export interface Progress {
  workspace?: Promise<void>
  knownTasks?: Promise<ReadonlySet<string>>
}

export interface WorkspacePaths {
  /** Gantry's own; below it what is given to the build. */
  readonly top: string
  readonly work: string
  readonly home: string
  readonly tmp: string
  readonly bin: string
  readonly npmrc: string
  /** The exported tree, for reading by Gantry. Never given away. */
  readonly source: string
  /** Where the build steps run. */
  readonly app: string
}

function workspacePaths(home: string, buildId: string): WorkspacePaths {
  const top = join(home, 'builds', buildId)
  const work = join(top, 'work')
  return {
    top,
    work,
    home: join(work, 'home'),
    tmp: join(work, 'tmp'),
    bin: join(top, 'bin'),
    npmrc: join(top, 'npmrc'),
    source: join(top, 'source'),
    app: join(top, 'app'),
  }
}

export function createJob(
  deps: BuildsDeps,
  request: BuildRequest,
  made: { plan: BuildPlan; treeId: string; startedAt: Date; signal: AbortSignal },
): BuildJob {
  const { build, app, buildConfig, fence, log } = request
  const npm = (file: string) => join(deps.node.npmBinFolder, file)
  return {
    deps,
    build,
    app,
    buildConfig,
    fence,
    ...made,
    scope: systemScope(build.teamId),
    stream: outputStream(build),
    workspace: workspacePaths(deps.home, build.id),
    cacheFolder: join(deps.home, 'layers', app.id, 'cache'),
    progress: {},
    commands: { node: join(deps.node.binFolder, 'node'), npm: npm('npm-cli.js'), npx: npm('npx-cli.js') },
    toolchainBins: [],
    say: (line) => log(`       ${line}`),
    head: (line) => log(`-----> ${line}`),
  }
}

/** Tasks of this build that the engine had when it was first asked: those that an earlier run of this job started. */
export function knownTasks(job: BuildJob): Promise<ReadonlySet<string>> {
  job.progress.knownTasks ??= tasksOf(job.deps, job.build.id, job.signal)
  return job.progress.knownTasks
}

/** Ids of the tasks that the engine has of a build. */
export async function tasksOf(
  deps: Pick<BuildsDeps, 'engine'>,
  buildId: string,
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const observed = await deps.engine.observe('all', signal)
  return new Set(observed.flatMap(({ id, labels }) => (labels.build === buildId ? [id] : [])))
}
