import { createReadStream } from 'node:fs'
import { lstat, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { createTarPacker } from 'modern-tar'
import type { SourceFile } from './source-files.ts'

/** The files as a tar stream, one after the other; `onBytes` is told of each piece of content that was read. */
export function tarOf(
  root: string,
  files: readonly SourceFile[],
  onBytes: (size: number) => void,
): ReadableStream<Uint8Array> {
  const { readable, controller } = createTarPacker()
  const pack = async () => {
    for (const file of files) await addFile(controller, root, file, onBytes)
    controller.finalize()
  }
  pack().catch((error: unknown) => controller.error(error))
  return readable
}

type Packer = ReturnType<typeof createTarPacker>['controller']

async function addFile(
  controller: Packer,
  root: string,
  file: SourceFile,
  onBytes: (size: number) => void,
): Promise<void> {
  const absolute = join(root, file.path)
  const { size, mode } = await lstat(absolute)
  if (file.kind === 'link') {
    const linkname = await readlink(absolute)
    controller.add({ name: file.path, type: 'symlink', linkname, size: 0, mode: 0o777 })
    return
  }
  const body = controller.add({ name: file.path, type: 'file', size, mode: mode & 0o111 ? 0o755 : 0o644 })
  const writer = body.getWriter()
  // A file that grows meanwhile is sent as long as it was: its size stands in its header.
  if (size > 0) {
    for await (const chunk of createReadStream(absolute, { end: size - 1 })) {
      await writer.write(chunk)
      onBytes(chunk.length)
    }
  }
  await writer.close()
}
