import { createReadStream } from 'node:fs'
import { lstat, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { createTarPacker } from 'modern-tar'
import { CommandError, exitCodes } from './exit-codes.ts'
import type { SourceFile } from './source-files.ts'

export interface SourceTar {
  readonly content: ReadableStream<Uint8Array>
  /** Why the stream broke off, when that was for a file: whoever sends it sees only that it did. */
  failure(): CommandError | undefined
}

/** The files as a tar stream, one after the other; `onBytes` is told of each piece of content that was read. */
export function tarOf(root: string, files: readonly SourceFile[], onBytes: (size: number) => void): SourceTar {
  const { readable, controller } = createTarPacker()
  let failure: CommandError | undefined
  const pack = async () => {
    for (const file of files) await addFile(controller, root, file, onBytes)
    controller.finalize()
  }
  pack().catch((error: unknown) => {
    failure = error instanceof CommandError ? error : undefined
    controller.error(error)
  })
  return { content: readable, failure: () => failure }
}

type Packer = ReturnType<typeof createTarPacker>['controller']
type OnBytes = (size: number) => void

async function addFile(packer: Packer, root: string, file: SourceFile, onBytes: OnBytes): Promise<void> {
  try {
    if (file.kind === 'link') await addLink(packer, root, file.path)
    else await addContent(packer, root, file.path, onBytes)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new CommandError(exitCodes.failed, `${file.path} could not be sent: ${reason}`)
  }
}

async function addLink(packer: Packer, root: string, name: string): Promise<void> {
  const linkname = await readlink(join(root, name))
  await packer.add({ name, type: 'symlink', linkname, size: 0, mode: 0o777 }).close()
}

/** A file that grows meanwhile is sent as long as it was: its size stands in its header. */
async function addContent(packer: Packer, root: string, name: string, onBytes: OnBytes): Promise<void> {
  const { size, mode } = await lstat(join(root, name))
  const writer = packer.add({ name, type: 'file', size, mode: mode & 0o111 ? 0o755 : 0o644 }).getWriter()
  let left = size
  if (size > 0) {
    for await (const chunk of createReadStream(join(root, name), { end: size - 1 })) {
      await writer.write(chunk)
      left -= chunk.length
      onBytes(chunk.length)
    }
  }
  if (left > 0) throw new Error('it became smaller meanwhile')
  await writer.close()
}
