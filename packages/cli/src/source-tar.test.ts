import assert from 'node:assert/strict'
import { appendFile, chmod, mkdtemp, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { unpackTar } from 'modern-tar'
import { findFiles } from './source-files.ts'
import { tarOf } from './source-tar.ts'

let root: string
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'gantry-test-'))
})
afterEach(() => rm(root, { recursive: true }))

const ignoreBytes = () => undefined

async function packed(change: (size: number) => Promise<void> | void = ignoreBytes) {
  const chunks: Uint8Array[] = []
  for await (const chunk of tarOf(root, await findFiles(root), change).content) chunks.push(chunk)
  return await unpackTar(Buffer.concat(chunks))
}

test('content, executable bits and links arrive; nothing else of the file does', async () => {
  await writeFile(join(root, 'run.sh'), '#!/bin/sh\n')
  await chmod(join(root, 'run.sh'), 0o4700)
  await writeFile(join(root, 'read.me'), 'text', { mode: 0o666 })
  await symlink('../outside', join(root, 'link'))
  const entries = await packed()
  assert.deepEqual(
    entries.map(({ header, data }) => [
      header.name,
      header.type,
      header.mode,
      header.linkname ?? '',
      Buffer.from(data ?? []).toString(),
    ]),
    [
      ['link', 'symlink', 0o777, '../outside', ''],
      ['read.me', 'file', 0o644, '', 'text'],
      ['run.sh', 'file', 0o755, '', '#!/bin/sh\n'],
    ],
  )
})

test('names of every kind arrive as they are', async () => {
  const names = ['-rf', ' space ', 'a\nb', 'ü漢', '$(x)', 'x'.repeat(120), `${'y'.repeat(240)}`, '"q"', 'back\\slash']
  for (const name of names) await writeFile(join(root, name), name)
  const entries = await packed()
  assert.deepEqual(
    entries.map(({ header, data }) => [header.name, Buffer.from(data ?? []).toString()]).sort(),
    names.map((name) => [name, name]).sort(),
  )
})

test('an empty file and one larger than a buffer arrive whole, and progress is told', async () => {
  const large = Buffer.alloc(300_000, 'abc')
  await writeFile(join(root, 'empty'), '')
  await writeFile(join(root, 'large'), large)
  let sent = 0
  const entries = await packed((size) => {
    sent += size
  })
  assert.equal(entries.length, 2)
  assert.deepEqual(Buffer.from(entries[1]?.data ?? []), large)
  assert.equal(sent, large.length)
})

test('a file that grows while it is sent is sent as long as it was', async () => {
  const path = join(root, 'log')
  await writeFile(path, 'a'.repeat(200_000))
  const entries = await packed(() => appendFile(path, 'b'.repeat(1000)))
  assert.equal(Buffer.from(entries[0]?.data ?? []).toString(), 'a'.repeat(200_000))
})

test('a file that shrinks while it is sent, or is gone, fails the upload and names the file', async () => {
  const path = join(root, 'log')
  await writeFile(path, 'a'.repeat(1_000_000))
  await assert.rejects(
    packed(() => truncate(path, 70_000)),
    /log/,
  )
  const files = await findFiles(root)
  await rm(path)
  const read = async () => {
    for await (const _ of tarOf(root, files, ignoreBytes).content);
  }
  await assert.rejects(read(), /log could not be sent: ENOENT/)
})
