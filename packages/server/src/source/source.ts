import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Readable } from 'node:stream'
import type { Deploy } from '@gantry/api'
import type { Access, BoundEndpoint, TeamScope } from '../access/index.ts'
import type { SourceTree } from '../builders/builder.ts'
import type { Git, Oid } from '../clients/git/index.ts'
import type { Database, Transaction } from '../db/database.ts'
import type { Clock } from '../kernel/clock.ts'
import type { Failpoint } from '../kernel/failpoint.ts'
import type { DeployId, NewId, PushId, RepositoryId, SourceId, TeamId } from '../kernel/ids.ts'
import type { Logger } from '../kernel/logger.ts'

/** Told about pushes, and asked how their deploys go. Implemented by delivery, wired in compose.ts. */
export interface PushListener {
  /**
   * Runs in the transaction that marks the push accepted and creates the deploys of it; none when nothing deploys from
   * this branch. Called for branches that were made or moved. A throw takes the push back.
   */
  accepted(tx: Transaction, push: AcceptedPush): Promise<readonly DeployId[]>
  /** What to show of these deploys, until each has had its `end`. Ends early, without an error, when aborted. */
  follow(ids: readonly DeployId[], signal: AbortSignal): AsyncIterable<DeployProgress>
}

export interface AcceptedPush {
  readonly pushId: PushId
  readonly teamId: TeamId
  readonly scope: TeamScope
  readonly repositoryId: RepositoryId
  /** `refs/heads/main`. */
  readonly ref: string
  /** Forty zeros when the branch was made by this push. */
  readonly oldSha: Oid
  readonly newSha: Oid
  readonly createdBy: string
  readonly options: readonly string[]
}

/** `line` is shown as it comes. `end.message` is one sentence: where it is live, or why it is not. */
export type DeployProgress =
  | { readonly kind: 'line'; readonly text: string }
  | { readonly kind: 'end'; readonly deployId: DeployId; readonly status: Deploy['status']; readonly message: string }

/** The branch that an app deploys from, as far as a push needs to know. */
export interface DeployingApp {
  readonly name: string
  readonly branch: string
  readonly root: string
}

export interface ImportedTree {
  readonly commitSha: Oid
  readonly sizeBytes: number
  readonly fileCount: number
}

/** Repositories that Gantry hosts: pushes, clones, uploads, and reading what was committed. */
export interface Source {
  /** Answers everything below `/git/`. Never throws; a raw handler, so that packs stream both ways. */
  gitRequest(request: IncomingMessage, response: ServerResponse): void
  readonly routes: readonly BoundEndpoint[]
  /** Makes the repository's folder; nothing when it is there. */
  createRepository(id: RepositoryId): Promise<void>
  /** A repository that is gone already succeeds. */
  deleteRepository(id: RepositoryId): Promise<void>
  /** Packs what has piled up: for the retention loop. */
  cleanRepository(id: RepositoryId): Promise<void>
  /** Keeps a tar stream (plain or gzip) as a commit under `refs/gantry/sources/<id>`. Throws `UserError`. */
  importTar(repository: RepositoryId, source: SourceId, tar: Readable): Promise<ImportedTree>
  /** git's id of the tree at a commit, below `root`. Throws `commit_not_found`, `root_not_found`. */
  treeId(repository: RepositoryId, commit: Oid, root: string): Promise<Oid>
  tree(repository: RepositoryId, commit: Oid, root: string): SourceTree
  /**
   * Writes a tree into a folder, which it makes whole or not at all and which must not be there. Symbolic links are made
   * as they are, and nothing is ever written through one.
   */
  exportTree(repository: RepositoryId, treeId: Oid, folder: string): Promise<ExportedTree>
  /**
   * Once at start, before anything is served: compares pushes that were being received with the refs. A ref that has
   * moved is a push to accept and deploy; one that has not was never pushed.
   */
  reconcileRefs(): Promise<void>
  close(): void
}

export interface ExportedTree {
  readonly fileCount: number
  readonly sizeBytes: number
}

export interface SourceDeps {
  readonly db: Database
  readonly clock: Clock
  readonly newId: NewId
  readonly log: Logger
  readonly git: Git
  readonly authenticate: Access['authenticate']
  readonly audit: Access['audit']
  readonly listener: PushListener
  readonly failpoint: Failpoint<SourceFailpoint>
  /** `GANTRY_HOME/repositories`. */
  readonly folder: string
  readonly limits: SourceLimits
}

/** Every place of a push at which a crash is tested: after each of its steps. */
export const sourceFailpoints = [
  'push.received',
  'push.ref_moved',
  'push.accepted',
  'push.reverting',
  'push.reverted',
] as const

export type SourceFailpoint = (typeof sourceFailpoints)[number]

export interface SourceLimits {
  /** Files and folders of one tree. */
  readonly entries: number
  /** Bytes of the files of one uploaded tree. */
  readonly uploadBytes: number
  /** Bytes of the files of one exported tree: a small pack can hold many. */
  readonly exportBytes: number
  /** Bytes of one path. */
  readonly pathBytes: number
  /** Every push leaves a pack; when there are more, they are packed together. */
  readonly packs: number
}

export const defaultSourceLimits: SourceLimits = {
  entries: 100_000,
  uploadBytes: 1024 * 1024 * 1024,
  exportBytes: 4 * 1024 * 1024 * 1024,
  pathBytes: 1024,
  packs: 50,
}
