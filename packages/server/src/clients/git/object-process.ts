import { GitFailed, type GitProcess } from './git-process.ts'
import type { Oid } from './ref-name.ts'

export type ObjectType = 'commit' | 'tree' | 'blob' | 'tag'

export interface ObjectHeader {
  readonly oid: Oid
  readonly type: ObjectType
  readonly size: number
}

/** What happens to an object as it arrives. A throw in any of them fails the whole process: it has lost its place. */
export interface ObjectSink {
  /** Undefined: there is no such object. */
  header(header: ObjectHeader | undefined): void
  chunk(bytes: Buffer): void
  end(): void
}

/** One `git cat-file --batch`, which answers in the order of the requests. */
export interface ObjectProcess {
  /** `name`: an object id or a full ref name that has been checked: a newline in it would be a second request. */
  request(name: string, sink: ObjectSink): void
  /** Rejects when the process has failed; the requests still open then get no answer. */
  readonly failed: Promise<never>
  readonly isUsable: boolean
  close(): void
  /** The same when requests may be open: nobody waits for what they would bring, however much that is. */
  abandon(): void
}

const newline = 0x0a
const maxHeaderBytes = 4096

export function startObjectProcess(git: GitProcess, repository: string): ObjectProcess {
  const child = git.start(repository, ['cat-file', '--batch'])
  const failure = Promise.withResolvers<never>()
  failure.promise.catch(() => undefined)
  const sinks: ObjectSink[] = []
  let usable = true
  let stderr = ''
  const fail = (error: unknown): void => {
    usable = false
    failure.reject(error)
    child.kill('SIGKILL')
  }
  const parser = createBatchParser(sinks)
  child.stdout?.on('data', (chunk: Buffer) => {
    if (!usable) return
    try {
      parser(chunk)
    } catch (error) {
      fail(error)
    }
  })
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    if (stderr.length < 4096) stderr += text
  })
  child.stdin?.on('error', () => undefined) // a process that has ended says so below
  child.once('error', fail)
  child.once('close', (code) => fail(new GitFailed('cat-file', code, stderr)))
  return {
    request(name, sink) {
      sinks.push(sink)
      child.stdin?.write(`${name}\n`)
    },
    failed: failure.promise,
    get isUsable() {
      return usable && child.exitCode === null
    },
    close() {
      usable = false
      child.stdin?.end()
    },
    abandon: () => fail(new Error('nobody waits for these objects any more')),
  }
}

/** Cuts the answer into headers and contents: `<oid> <type> <size>\n<content>\n`, or `<name> missing\n`. */
function createBatchParser(sinks: ObjectSink[]): (chunk: Buffer) => void {
  let held: Buffer = Buffer.alloc(0)
  let sink: ObjectSink | undefined
  let left = 0
  const takeHeader = (line: string): void => {
    const next = sinks.shift()
    if (!next) throw new Error('git answered what was not asked')
    const header = parseHeader(line)
    next.header(header)
    if (!header) return
    sink = next
    left = header.size
  }
  const takeContent = (bytes: Buffer, offset: number): number => {
    const taken = Math.min(left, bytes.length - offset)
    if (taken > 0) sink?.chunk(bytes.subarray(offset, offset + taken))
    left -= taken
    if (left > 0 || offset + taken >= bytes.length) return offset + taken
    if (bytes[offset + taken] !== newline) throw new Error('git cat-file lost its place')
    const done = sink
    sink = undefined
    done?.end()
    return offset + taken + 1
  }
  return (chunk) => {
    const bytes = held.length > 0 ? Buffer.concat([held, chunk]) : chunk
    held = Buffer.alloc(0)
    for (let offset = 0; offset < bytes.length; ) {
      if (sink) {
        offset = takeContent(bytes, offset)
        continue
      }
      const end = bytes.indexOf(newline, offset)
      if (end < 0) {
        held = Buffer.from(bytes.subarray(offset))
        if (held.length > maxHeaderBytes) throw new Error('git cat-file wrote a header without an end')
        return
      }
      takeHeader(bytes.toString('utf8', offset, end))
      offset = end + 1
    }
  }
}

function parseHeader(line: string): ObjectHeader | undefined {
  if (line.endsWith(' missing')) return undefined
  const match = /^([0-9a-f]{40}) (commit|tree|blob|tag) (\d{1,15})$/.exec(line)
  if (!match) throw new Error(`git cat-file wrote ${JSON.stringify(line.slice(0, 100))}`)
  const [, oid = '', type, size] = match
  return { oid, type: type as ObjectType, size: Number(size) }
}
