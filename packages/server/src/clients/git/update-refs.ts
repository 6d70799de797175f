import { GitFailed, type GitProcess } from './git-process.ts'
import { isOid, isRefName, type Oid, zeroOid } from './ref-name.ts'

/** A compare-and-swap of one ref; `zeroOid` stands for "does not exist", before or after. */
export interface RefChange {
  readonly ref: string
  readonly from: Oid
  readonly to: Oid
}

/** The refs did not have the expected values, or cannot be what was asked. Nothing was changed. */
export class RefsRefused extends Error {
  override readonly name = 'RefsRefused'
  /** `moved`: a ref has another value. `conflict`: a name that is a folder of another. `other`: see the message. */
  readonly why: 'moved' | 'conflict' | 'other'
  constructor(why: 'moved' | 'conflict' | 'other', message: string) {
    super(message)
    this.why = why
  }
}

/** A transaction over refs whose process is running already: committing it costs no start of one. */
export interface RefUpdate {
  /** All changes or none. `remove` are refs of Gantry's own that go with them, whatever they are. Throws `RefsRefused`. */
  commit(changes: readonly RefChange[], remove?: readonly string[]): Promise<void>
  /** Ends the process; what was not committed is not done. Safe to call at any time. */
  cancel(): void
}

/** Starts `git update-ref --stdin -z`, git-update-ref(1). */
export function startRefUpdate(git: GitProcess, repository: string): RefUpdate {
  // A push that is accepted in the database must find its ref moved after a power cut.
  const settings = { 'core.fsync': 'reference' }
  const child = git.start(repository, ['update-ref', '--no-deref', '--stdin', '-z'], { settings })
  let stdout = ''
  let stderr = ''
  const committed = Promise.withResolvers<void>()
  committed.promise.catch(() => undefined)
  child.stdin?.on('error', () => undefined)
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    if (stderr.length < 4096) stderr += text
  })
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
    if (stdout.includes('commit: ok\n')) committed.resolve()
  })
  child.once('error', (error) => committed.reject(error))
  child.once('close', (code) => committed.reject(explain(code, stderr)))
  return {
    async commit(changes, remove = []) {
      const lines = [...changes.map(formatChange), ...remove.map(formatRemoval)]
      child.stdin?.end(`start\0${lines.join('')}prepare\0commit\0`)
      await committed.promise
    },
    cancel: () => child.stdin?.end(),
  }
}

function formatChange({ ref, from, to }: RefChange): string {
  if (!isRefName(ref) || !isOid(from) || !isOid(to)) throw new RangeError('not a change of a ref')
  if (to === zeroOid) return `delete ${ref}\0${from}\0`
  return `update ${ref}\0${to}\0${from}\0`
}

function formatRemoval(ref: string): string {
  if (!isRefName(ref)) throw new RangeError('not a ref name')
  return `delete ${ref}\0\0`
}

function explain(code: number | null, stderr: string): Error {
  if (/but expected|reference already exists|unable to resolve reference|reference is missing/.test(stderr)) {
    return new RefsRefused('moved', 'the ref has another value')
  }
  if (/' exists; cannot create/.test(stderr))
    return new RefsRefused('conflict', 'another ref has this name as a folder')
  const git = /^fatal: (.*)$/m.exec(stderr)?.[1]
  if (git !== undefined && /non-commit object|nonexistent object|not a valid/.test(git)) {
    return new RefsRefused('other', 'a branch must point to a commit')
  }
  return new GitFailed('update-ref', code, stderr)
}
