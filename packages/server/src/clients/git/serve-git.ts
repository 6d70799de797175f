import type { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { ChildProcess } from '../../kernel/spawn-argv.ts'
import { GitFailed, type GitProcess, type GitSettings } from './git-process.ts'
import { encodePacket, flushPacket } from './pkt-line.ts'

export type GitService = 'git-upload-pack' | 'git-receive-pack'

/** Refs of Gantry's own: nobody sees, fetches or pushes them. */
export const ownRefs = 'refs/gantry'

const offered: Record<GitService, GitSettings> = {
  'git-upload-pack': { 'transfer.hideRefs': ownRefs, 'uploadpack.allowFilter': 'true' },
  'git-receive-pack': {
    'transfer.hideRefs': ownRefs,
    'receive.advertisePushOptions': 'true',
    'receive.advertiseAtomic': 'true',
  },
}

export interface ServeOptions {
  readonly service: GitService
  readonly protocol: string | undefined
  readonly signal: AbortSignal
}

/** The answer to `GET info/refs` (gitprotocol-http(5)): which refs there are, and what this end can do. */
export async function advertiseRefs(
  git: GitProcess,
  repository: string,
  options: ServeOptions,
  output: () => Writable,
): Promise<void> {
  const { service, protocol } = options
  const args = [service.slice('git-'.length), '--stateless-rpc', '--advertise-refs', repository]
  const child = git.start(repository, args, { settings: offered[service], protocol })
  child.stdin?.end()
  const announce = service === 'git-upload-pack' && /version=2/.test(protocol ?? '')
  const head = announce ? [] : [encodePacket(`# service=${service}\n`), flushPacket]
  await answer(child, options, head, output)
}

/** A fetch or clone: `POST git-upload-pack`. */
export async function uploadPack(
  git: GitProcess,
  repository: string,
  options: ServeOptions & { readonly body: Readable },
  output: () => Writable,
): Promise<void> {
  const args = ['upload-pack', '--stateless-rpc', repository]
  const child = git.start(repository, args, { settings: offered['git-upload-pack'], protocol: options.protocol })
  const { stdin } = child
  if (!stdin) throw new Error('git was started without pipes')
  const feeding = pipeline(options.body, stdin).catch((error: unknown) => {
    if (!(error instanceof Error && 'code' in error && error.code === 'EPIPE')) child.kill('SIGKILL')
  })
  await answer(child, options, [], output)
  await feeding
}

/**
 * Passes on what git writes. `output` is called with git's first byte, so that until then an error can still be
 * answered as one.
 */
async function answer(
  child: ChildProcess,
  options: ServeOptions,
  head: readonly Buffer[],
  output: () => Writable,
): Promise<void> {
  const { stdout, stderr } = child
  if (!stdout || !stderr) throw new Error('git was started without pipes')
  let errors = ''
  stderr.setEncoding('utf8').on('data', (text: string) => {
    if (errors.length < 4096) errors += text
  })
  const end = (): void => void child.kill('SIGKILL')
  options.signal.addEventListener('abort', end, { once: true })
  const exited = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  exited.catch(() => undefined)
  try {
    const chunks = stdout[Symbol.asyncIterator]() as AsyncIterator<Buffer>
    const first = await chunks.next()
    if (first.done) throw new GitFailed(options.service, await exited, errors)
    const source = async function* (): AsyncGenerator<Buffer> {
      yield Buffer.concat([...head, first.value])
      for (let next = await chunks.next(); !next.done; next = await chunks.next()) yield next.value
    }
    await pipeline(source, output())
  } finally {
    options.signal.removeEventListener('abort', end)
    end()
  }
}
