import type { Writable } from 'node:stream'
import { createGitProcess, type GitProcessDeps } from './git-process.ts'
import { createObjectPool } from './object-pool.ts'
import type { ObjectReader } from './object-reader.ts'
import { type IncomingPack, receivePack, type UnpackReport } from './receive-pack.ts'
import type { Oid } from './ref-name.ts'
import {
  cleanRepository,
  countPacks,
  initRepository,
  isAncestor,
  refsBelow,
  removeRepository,
  setHead,
} from './repository.ts'
import { advertiseRefs, type ServeOptions, uploadPack } from './serve-git.ts'
import { createSlots } from './slots.ts'
import { startTreeImport, type TreeImport, type TreeImportOptions } from './tree-import.ts'
import { type RefUpdate, startRefUpdate } from './update-refs.ts'

/**
 * git on bare repositories, each named by the absolute path of its folder. Every process is started with an argument
 * vector, an environment of ours alone, and the settings of git-process.ts.
 */
export interface Git {
  initRepository(path: string, branch: string): Promise<void>
  setHead(path: string, branch: string): Promise<void>
  removeRepository(path: string): Promise<void>
  /** Packs everything together. Costs as much as the repository is large; pushes and clones may go on meanwhile. */
  cleanRepository(path: string): Promise<void>
  countPacks(path: string): Promise<number>
  advertiseRefs(path: string, options: ServeOptions, output: () => Writable): Promise<void>
  uploadPack(path: string, options: Parameters<typeof uploadPack>[2], output: () => Writable): Promise<void>
  receivePack(path: string, incoming: IncomingPack): Promise<UnpackReport>
  startRefUpdate(path: string): RefUpdate
  /** Lends a running process that reads objects. The body must wait for everything it has asked for. */
  readObjects<T>(path: string, body: (reader: ObjectReader) => Promise<T>): Promise<T>
  /** Objects of this repository will be read soon. */
  warm(path: string): void
  isAncestor(path: string, older: Oid, newer: Oid): Promise<boolean>
  refsBelow(path: string, prefix: string): Promise<readonly string[]>
  startTreeImport(path: string, options: TreeImportOptions): TreeImport
  /** Ends every process that is kept for later. */
  close(): void
}

/** Packs that are received at once; each takes three processes for a moment. */
const maxReceiving = 32

export function createGit(deps: GitProcessDeps): Git {
  const git = createGitProcess(deps)
  const pool = createObjectPool(git)
  const receiving = createSlots(maxReceiving)
  return {
    initRepository: (path, branch) => initRepository(git, path, branch),
    setHead: (path, branch) => setHead(git, path, branch),
    async removeRepository(path) {
      pool.drop(path)
      await removeRepository(path)
    },
    cleanRepository: (path) => cleanRepository(git, path),
    countPacks,
    advertiseRefs: (path, options, output) => advertiseRefs(git, path, options, output),
    uploadPack: (path, options, output) => uploadPack(git, path, options, output),
    receivePack: (path, incoming) => receiving(() => receivePack(git, path, incoming)),
    startRefUpdate: (path) => startRefUpdate(git, path),
    readObjects: (path, body) => pool.use(path, body),
    warm: (path) => pool.warm(path),
    isAncestor: (path, older, newer) => isAncestor(git, path, older, newer),
    refsBelow: (path, prefix) => refsBelow(git, path, prefix),
    startTreeImport: (path, options) => startTreeImport(git, path, options),
    close: () => pool.close(),
  }
}
