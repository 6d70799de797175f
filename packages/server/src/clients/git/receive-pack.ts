import type { Writable } from 'node:stream'
import { GitFailed, type GitProcess } from './git-process.ts'
import { createPacketSplitter, encodePacket, flushPacket, type Packet } from './pkt-line.ts'
import { isOid, isRefName, type Oid, zeroOid } from './ref-name.ts'

export interface IncomingPack {
  /** Refs to be made, by name: none of them exists. */
  readonly refs: ReadonlyMap<string, Oid>
  /** Where the history of a shallow client ends. */
  readonly shallow: readonly Oid[]
  readonly pack: AsyncIterable<Buffer>
  readonly quiet: boolean
  /** git's own words while it works: what a client sees behind `remote: `. Without any: git says that it is still there. */
  readonly onProgress: (bytes: Buffer) => void
  readonly signal: AbortSignal
}

export interface UnpackReport {
  /** Why nothing was unpacked; undefined when everything was. */
  readonly fault: string | undefined
  /** Refs that were not made, and git's reason. */
  readonly refused: ReadonlyMap<string, string>
}

const maxReportBytes = 8 * 1024 * 1024

/**
 * Feeds a pack to `git receive-pack --stateless-rpc`, which checks every object, checks that history is complete, and makes
 * the refs (gitprotocol-pack(5), "Reference Update Request and Packfile Transfer"). Rejects when git does not answer, or
 * when aborted.
 */
export async function receivePack(git: GitProcess, repository: string, incoming: IncomingPack): Promise<UnpackReport> {
  const child = git.start(repository, ['receive-pack', '--stateless-rpc', repository])
  const { stdin, stdout, stderr } = child
  if (!stdin || !stdout || !stderr) throw new Error('git was started without pipes')
  let errors = ''
  stderr.setEncoding('utf8').on('data', (text: string) => {
    if (errors.length < 4096) errors += text
  })
  const exited = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  const end = (): void => void child.kill('SIGKILL')
  incoming.signal.addEventListener('abort', end, { once: true })
  stdin.on('error', () => stdin.destroy()) // git has ended; its report says why
  const fed = feed(incoming, stdin)
  try {
    const ended = exited.then((code): never => {
      incoming.signal.throwIfAborted()
      throw new GitFailed('receive-pack', code, errors)
    })
    const report = parseReport(await Promise.race([readReport(stdout, incoming.onProgress), ended]))
    // Objects that were refused are removed as git ends; those that were taken are in their place already.
    if (report.fault !== undefined) await Promise.all([fed, exited])
    return report
  } finally {
    incoming.signal.removeEventListener('abort', end)
    stdin.destroy()
  }
}

/**
 * Reads the pack to its end also when git does not want it any more: who is still sending would not hear an answer.
 * Never rejects: a pack that ends too early is git's to report, and git may have heard enough before its end.
 */
async function feed(incoming: IncomingPack, stdin: Writable): Promise<void> {
  const closed = new Promise<void>((resolve) => stdin.once('close', resolve))
  try {
    stdin.write(formatCommands(incoming))
    for await (const chunk of incoming.pack) {
      if (stdin.destroyed || stdin.write(chunk)) continue
      await Promise.race([new Promise<void>((resolve) => stdin.once('drain', resolve)), closed])
    }
  } catch {
    // The sender has gone; git is told by the end of its input.
  }
  stdin.end()
}

function formatCommands({ refs, shallow, quiet }: IncomingPack): Buffer {
  const capabilities = `report-status side-band-64k object-format=sha1${quiet ? ' quiet' : ''}`
  const lines = [...refs].map(([ref, oid], index) => {
    if (!isRefName(ref) || !isOid(oid)) throw new RangeError('not a ref to be made')
    return encodePacket(`${zeroOid} ${oid} ${ref}${index === 0 ? `\0 ${capabilities}` : ''}`)
  })
  return Buffer.concat([...shallow.map((oid) => encodePacket(`shallow ${oid}`)), ...lines, flushPacket])
}

/**
 * The report of band 1, as soon as it is whole. What follows is read and dropped: git, writing to nobody, would end before
 * it has cleaned up behind itself.
 */
function readReport(stdout: NodeJS.ReadableStream, onProgress: (bytes: Buffer) => void): Promise<readonly Packet[]> {
  const bands = createPacketSplitter()
  const report = createPacketSplitter()
  const packets: Packet[] = []
  let size = 0
  const take = (band: number | undefined, bytes: Buffer): void => {
    if (band === 2 || (band === 1 && bytes.length === 0)) onProgress(bytes)
    if (band === 3) throw new GitFailed('receive-pack', null, bytes.toString('utf8'))
    if (band !== 1) return
    size += bytes.length
    if (size > maxReportBytes) throw new Error('git receive-pack reported without an end')
    packets.push(...report.push(bytes))
  }
  return new Promise((resolve, reject) => {
    stdout.on('data', (chunk: Buffer) => {
      try {
        for (const packet of bands.push(chunk)) {
          if (packet.kind === 'data') take(packet.payload[0], packet.payload.subarray(1))
        }
        if (packets.at(-1)?.kind === 'flush') resolve(packets)
      } catch (error) {
        reject(error)
      }
    })
  })
}

function parseReport(packets: readonly Packet[]): UnpackReport {
  const lines = packets.flatMap((packet) =>
    packet.kind === 'data' ? [packet.payload.toString('utf8').replace(/\n$/, '')] : [],
  )
  const unpack = lines.find((line) => line.startsWith('unpack '))?.slice('unpack '.length) ?? 'no report'
  const refused = lines.flatMap((line) => {
    const match = /^ng (\S+) (.*)$/.exec(line)
    return match ? [[match[1] ?? '', match[2] ?? ''] as const] : []
  })
  return { fault: unpack === 'ok' ? undefined : unpack, refused: new Map(refused) }
}
