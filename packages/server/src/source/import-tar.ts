import { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { createTarDecoder, type ParsedTarEntry } from 'modern-tar'
import { type Git, GitFailed, type TreeImport } from '../clients/git/index.ts'
import type { Clock } from '../kernel/clock.ts'
import { UserError } from '../kernel/errors.ts'
import type { SourceId } from '../kernel/ids.ts'
import { isDiskFull } from './disk-full.ts'
import type { ImportedTree, SourceLimits } from './source.ts'
import { createTarLedger, type TarItem } from './tar-ledger.ts'

export interface ImportDeps {
  readonly git: Git
  readonly clock: Clock
  readonly limits: SourceLimits
}

/** The ref that keeps an uploaded tree. */
function sourceRef(id: SourceId): string {
  return `refs/gantry/sources/${id}`
}

/**
 * Turns a tar archive into a commit, entry by entry as it comes: nothing of it is ever a file on this machine. What is
 * refused leaves no commit. Throws `archive_invalid`, `path_rejected`, `link_rejected`, `file_type_rejected`,
 * `too_many_files`, `file_too_large`, `empty_tree`.
 */
export async function importTar(deps: ImportDeps, path: string, id: SourceId, tar: Readable): Promise<ImportedTree> {
  const ledger = createTarLedger(deps.limits)
  const options = { ref: sourceRef(id), message: 'Upload\n', at: deps.clock.now() }
  const target = deps.git.startTreeImport(path, options)
  try {
    for await (const entry of readEntries(tar)) await importEntry(target, ledger.take(entry.header), entry)
    const { fileCount, sizeBytes } = ledger.finish()
    return { commitSha: await target.finish(), fileCount, sizeBytes }
  } catch (error) {
    await target.abort()
    if (!(error instanceof GitFailed && isDiskFull(error.stderr))) throw error
    throw new UserError('disk_full', 'There is no space left on the disk of the platform.', { cause: error })
  }
}

async function importEntry(target: TreeImport, item: TarItem | undefined, { body }: ParsedTarEntry): Promise<void> {
  if (item?.kind === 'file') {
    await target.file(item.path, { executable: item.isExecutable, size: item.size }, guarded(body))
    return
  }
  await body.cancel()
  if (item?.kind === 'link') await target.link(item.path, item.target)
}

async function* readEntries(tar: Readable): AsyncGenerator<ParsedTarEntry> {
  const decoder = createTarDecoder({ strict: true })
  const bytes = Readable.toWeb(await unzip(tar)) as ReadableStream<Uint8Array>
  yield* guarded(bytes.pipeThrough(decoder))
}

/** Unzips what begins like gzip: a tar archive cannot. */
async function unzip(tar: Readable): Promise<Readable> {
  const chunks = tar[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  let head: Buffer = Buffer.alloc(0)
  while (head.length < 2) {
    const chunk = await chunks.next()
    if (chunk.done) break
    head = Buffer.concat([head, chunk.value])
  }
  const whole = Readable.from(
    (async function* () {
      yield head
      for (let chunk = await chunks.next(); !chunk.done; chunk = await chunks.next()) yield chunk.value
    })(),
    { objectMode: false },
  )
  if (head[0] !== 0x1f || head[1] !== 0x8b) return whole
  const gunzip = createGunzip()
  whole.once('error', (error) => gunzip.destroy(error))
  return whole.pipe(gunzip)
}

/** The faults of the archive itself, told from those of Gantry. An upload that breaks off keeps its own error. */
async function* guarded<T>(items: ReadableStream<T>): AsyncGenerator<T> {
  try {
    yield* items
  } catch (error) {
    if (error instanceof UserError) throw error
    const why = error instanceof Error ? error.message : String(error)
    throw new UserError('archive_invalid', `The upload is not a tar archive that can be read: ${why}`, { cause: error })
  }
}
