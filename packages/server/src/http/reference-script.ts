import { type FileHandle, open } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'

/** The script of the API reference page, compressed with gzip. */
export interface ReferenceScript {
  gzipped(): Promise<Buffer>
  close(): Promise<void>
}

const opening = 'var standalone_default = "'

/**
 * Scalar's browser bundle, out of the npm package that carries it as one string literal. The file is opened now, while
 * this process may still read where Gantry is installed, and read when the page is first asked for: 4 MB that most runs
 * never need.
 */
export async function openReferenceScript(): Promise<ReferenceScript> {
  const path = createRequire(import.meta.url).resolve('@scalar/fastify-api-reference')
  const file = await open(path, 'r')
  let made: Promise<Buffer> | undefined
  return {
    gzipped: () => {
      made ??= readScript(file).then((script) => promisify(gzip)(script))
      return made
    },
    close: () => file.close(),
  }
}

async function readScript(file: FileHandle): Promise<string> {
  const { size } = await file.stat()
  const bytes = Buffer.alloc(size)
  for (let at = 0; at < size; ) {
    const { bytesRead } = await file.read(bytes, at, size - at, at)
    if (bytesRead === 0) break
    at += bytesRead
  }
  return literalIn(bytes.toString('utf8'))
}

/** The literal is JSON but for the control characters that JavaScript lets stand in a string. */
function literalIn(source: string): string {
  const start = source.indexOf(opening)
  const end = source.indexOf('\n', start)
  if (start < 0 || end < 0) throw new Error('the API reference package has no browser bundle where it used to be')
  const literal = source.slice(start + opening.length - 1, source.lastIndexOf('"', end) + 1)
  return JSON.parse(
    literal.replace(/[\u0000-\u001f]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`),
  )
}
