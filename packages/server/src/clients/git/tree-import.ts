import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { GitFailed, type GitProcess } from './git-process.ts'
import { isOid, isRefName, type Oid } from './ref-name.ts'

/** Writes files into a commit as they come, through one `git fast-import` (git-fast-import(1)). One call at a time. */
export interface TreeImport {
  /** `path` has been checked by the caller; exactly `size` bytes must come. */
  file(path: string, options: { executable: boolean; size: number }, content: AsyncIterable<Uint8Array>): Promise<void>
  link(path: string, target: string): Promise<void>
  /** Makes the commit and points the ref to it. */
  finish(): Promise<Oid>
  /** Ends without a commit. Safe at any time; objects already written stay until the repository is cleaned. */
  abort(): Promise<void>
}

export interface TreeImportOptions {
  /** A ref that does not exist yet. */
  readonly ref: string
  readonly message: string
  readonly at: Date
}

const committer = 'Gantry <gantry@localhost>'

export function startTreeImport(git: GitProcess, repository: string, options: TreeImportOptions): TreeImport {
  if (!isRefName(options.ref)) throw new RangeError('not a ref name')
  const child = git.start(repository, ['fast-import', '--quiet', '--done', '--date-format=raw'])
  const { stdin, stdout, stderr } = child
  if (!stdin || !stdout || !stderr) throw new Error('git was started without pipes')
  let output = ''
  let errors = ''
  stdout.setEncoding('utf8').on('data', (text: string) => {
    if (output.length < 4096) output += text
  })
  stderr.setEncoding('utf8').on('data', (text: string) => {
    if (errors.length < 4096) errors += text
  })
  stdin.on('error', () => undefined) // the end of the process says why
  const ended = Promise.withResolvers<number | null>()
  ended.promise.catch(() => undefined)
  child.once('error', ended.reject)
  child.once('close', ended.resolve)

  const write = async (bytes: string | Uint8Array): Promise<void> => {
    if (stdin.write(bytes)) return
    const stop = new AbortController()
    const failed = ended.promise.then((code) => Promise.reject(new GitFailed('fast-import', code, errors)))
    try {
      await Promise.race([once(stdin, 'drain', { signal: stop.signal }), failed])
    } finally {
      stop.abort()
    }
  }
  void write(formatCommit(options))
  return {
    async file(path, { executable, size }, content) {
      await write(`M ${executable ? '100755' : '100644'} inline ${quotePath(path)}\ndata ${size}\n`)
      let left = size
      for await (const chunk of content) {
        left -= chunk.length
        if (left < 0) throw new RangeError('more bytes than the size says')
        await write(chunk)
      }
      if (left !== 0) throw new RangeError('fewer bytes than the size says')
      await write('\n')
    },
    link: (path, target) => write(`M 120000 inline ${quotePath(path)}\ndata ${Buffer.byteLength(target)}\n${target}\n`),
    async finish() {
      stdin.end('\nget-mark :1\ndone\n')
      const code = await ended.promise
      const oid = output.trim()
      if (code !== 0 || !isOid(oid)) throw new GitFailed('fast-import', code, errors)
      return oid
    },
    async abort() {
      stdin.destroy()
      await ended.promise.catch(() => undefined)
      await rm(join(repository, `fast_import_crash_${child.pid}`), { force: true })
    },
  }
}

function formatCommit({ ref, message, at }: TreeImportOptions): string {
  const seconds = Math.floor(at.getTime() / 1000)
  const who = `committer ${committer} ${seconds} +0000`
  return `commit ${ref}\nmark :1\n${who}\ndata ${Buffer.byteLength(message)}\n${message}\n`
}

/** Always quoted, C style: then nothing in a path can be taken for anything else. */
function quotePath(path: string): string {
  let quoted = ''
  for (const byte of Buffer.from(path)) {
    const plain = byte >= 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x5c
    quoted += plain ? String.fromCharCode(byte) : `\\${byte.toString(8).padStart(3, '0')}`
  }
  return `"${quoted}"`
}
