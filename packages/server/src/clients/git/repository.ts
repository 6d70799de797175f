import { mkdir, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type GitProcess, runGit } from './git-process.ts'
import { isBranchName, isOid, type Oid } from './ref-name.ts'

/** Makes a bare repository whose HEAD is this branch: whole or not at all. There must be none at this path. */
export async function initRepository(git: GitProcess, path: string, branch: string): Promise<void> {
  const part = `${path}.part`
  await rm(part, { recursive: true, force: true })
  await mkdir(part, { recursive: true, mode: 0o700 })
  const args = ['init', '--bare', '--quiet', '--template=', '--object-format=sha1']
  await runGit(git, part, args, { settings: { 'init.defaultBranch': 'main', 'init.defaultRefFormat': 'files' } })
  await setHead(git, part, branch)
  await rename(part, path)
}

/** What a clone checks out. The branch need not exist. */
export async function setHead(git: GitProcess, path: string, branch: string): Promise<void> {
  if (!isBranchName(branch)) throw new RangeError('not a branch name')
  await runGit(git, path, ['symbolic-ref', '--', 'HEAD', `refs/heads/${branch}`])
}

export async function removeRepository(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true, maxRetries: 3 })
}

export async function isAncestor(git: GitProcess, path: string, older: Oid, newer: Oid): Promise<boolean> {
  if (!isOid(older) || !isOid(newer)) throw new RangeError('not an object id')
  const { exitCode } = await git.run(path, ['merge-base', '--is-ancestor', '--end-of-options', older, newer])
  return exitCode === 0
}

/** Full names of the refs below a prefix such as `refs/gantry/incoming`. */
export async function refsBelow(git: GitProcess, path: string, prefix: string): Promise<readonly string[]> {
  const output = await runGit(git, path, ['for-each-ref', '--format=%(refname)', '--', prefix])
  return output.toString('utf8').split('\n').filter(Boolean)
}

/** Packs what has piled up and drops what nothing refers to any more. What came in the last two weeks stays. */
export async function cleanRepository(git: GitProcess, path: string): Promise<void> {
  await runGit(git, path, ['gc', '--quiet', '--prune=2.weeks.ago'])
}

/** How many packs there are: every push leaves one, and every git process looks into each. */
export async function countPacks(path: string): Promise<number> {
  const names = await readdir(join(path, 'objects', 'pack'))
  return names.filter((name) => name.endsWith('.pack')).length
}
