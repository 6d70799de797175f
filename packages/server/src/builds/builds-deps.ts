import type { Builder, SourceTree } from '../builders/builder.ts'
import type { Database } from '../db/database.ts'
import type { Engine } from '../engines/engine.ts'
import type { Clock } from '../kernel/clock.ts'
import type { Failpoint } from '../kernel/failpoint.ts'
import type { NewId, RepositoryId } from '../kernel/ids.ts'
import type { Logger } from '../kernel/logger.ts'
import type { Work } from '../work/work.ts'
import type { BuildFailpoint } from './failpoints.ts'
import type { KeyedLock } from './keyed-lock.ts'
import type { MachineSettings } from './machine-settings.ts'
import type { ArtifactUses, RetentionPolicy } from './retention.ts'

/** Committed source, below the root of an app. Answered by the room that keeps the repositories. */
export interface CommittedSource {
  /** git's object id of the tree at a commit, below `root` ('' is the whole). */
  treeId(repository: RepositoryId, commit: string, root: string): Promise<string>
  tree(repository: RepositoryId, commit: string, root: string): SourceTree
  /** Writes a tree into a folder, which it makes whole or not at all and which must not be there. */
  exportTree(repository: RepositoryId, treeId: string, folder: string): Promise<{ readonly sizeBytes: number }>
}

/**
 * Hands folders over between Gantry and the uid of a build, and back. Only the supervisor can, when it is root; as an
 * ordinary user there is one uid and only the modes change.
 */
export interface FolderOwner {
  /** Makes a folder and everything in it the build's. */
  give(path: string, owner: { uid: number; gid: number }): Promise<void>
  /** Makes it Gantry's again, readable for the app's group and writable for nobody. */
  seal(path: string, gid: number): Promise<void>
  /** Removes a tree whoever owns it. A missing path succeeds. */
  remove(path: string): Promise<void>
}

/** The output streams, as far as builds need them. */
export interface BuildOutput {
  flush(): Promise<void>
  last(stream: string, count: number): Promise<readonly { readonly message: string }[]>
  remove(stream: string): Promise<void>
}

/** Gantry's own Node.js, readable for every uid. */
export interface PlatformNode {
  readonly version: string
  readonly npmVersion: string
  /** Holds `node`, and `npm` and `npx` for apps that call them. */
  readonly binFolder: string
  /** `npm/bin`: where `npm-cli.js` and `npx-cli.js` are. */
  readonly npmBinFolder: string
}

export interface BuildLimits {
  readonly timeMs: number
  /** Of one step, in bytes. */
  readonly outputBytes: number
  /** Of one folder that a build writes, in bytes. */
  readonly diskBytes: number
  readonly processes: number
  readonly openFiles: number
  /** What the log of one build keeps. */
  readonly logBytes: number
  readonly memoryBytes?: number
}

const mebibyte = 1024 * 1024

export const defaultBuildLimits: BuildLimits = {
  timeMs: 15 * 60_000,
  outputBytes: 50 * mebibyte,
  diskBytes: 4096 * mebibyte,
  processes: 4096,
  openFiles: 65_536,
  logBytes: 16 * mebibyte,
}

export interface BuildsDeps {
  readonly db: Database
  readonly engine: Pick<Engine, 'startTask' | 'waitForTask' | 'observe' | 'stop' | 'forget'>
  readonly source: CommittedSource
  readonly folders: FolderOwner
  readonly output: BuildOutput
  readonly builders: readonly Builder[]
  readonly work: Work
  readonly clock: Clock
  readonly newId: NewId
  readonly log: Logger
  readonly locks: KeyedLock
  /** GANTRY_HOME. */
  readonly home: string
  /** `linux-x64`, … */
  readonly platform: string
  readonly node: PlatformNode
  readonly machine: MachineSettings
  /** See `PlanContext.publishedVersions`. */
  readonly publishedVersions: (npmPackage: string) => Promise<readonly string[]>
  readonly uses: ArtifactUses
  readonly failpoint: Failpoint<BuildFailpoint>
  readonly limits: BuildLimits
  readonly retention: RetentionPolicy
}
