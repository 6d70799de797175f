import assert from 'node:assert/strict'
import { lstat, readdir, readFile, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { after, before, describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import { createHosted, type Hosted } from '../../test/support/source.ts'
import { breakSize, damaged, end, entry, file, folder, header, link, pax, tar } from '../../test/support/tar.ts'
import { UserError } from '../kernel/errors.ts'
import { formatId, type SourceId } from '../kernel/ids.ts'
import { runArgv, spawnArgv } from '../kernel/spawn-argv.ts'
import type { ImportedTree } from './source.ts'

describe('an uploaded tar archive', () => {
  let hosted: Hosted
  const counter = { last: 0 }
  before(async () => {
    hosted = await createHosted({ limits: { entries: 2000, uploadBytes: 8 * 1024 * 1024 } })
  })
  after(() => hosted.close())
  const newSource = (): SourceId => formatId('source', counter.last++, Buffer.alloc(10))
  const upload = (bytes: Uint8Array | readonly Uint8Array[], id = newSource()): Promise<ImportedTree> =>
    hosted.source.importTar(hosted.repositoryId, id, Readable.from(bytes instanceof Uint8Array ? [bytes] : bytes))
  const bare = async (...args: string[]): Promise<string> =>
    (await hosted.user(['--git-dir', hosted.path(), ...args])).stdout.toString()

  it('becomes a commit with its files, links and executable bits', async () => {
    const id = newSource()
    const tree = await upload(
      tar(
        folder('./'),
        file('./package.json', '{}'),
        folder('bin/'),
        { name: 'bin/run', content: '#!/bin/sh\n', mode: 0o755 },
        { name: 'deep/er/ünï "quoted" \\ \t.txt'.replace('\t', ''), content: 'name' },
        link('current', 'bin'),
        link('bin/up', '../package.json'),
        file('empty', ''),
      ),
      id,
    )
    assert.deepEqual([tree.fileCount, tree.sizeBytes], [6, 16])
    assert.equal((await bare('rev-parse', `refs/gantry/sources/${id}`)).trim(), tree.commitSha)
    const listed = await bare('-c', 'core.quotePath=false', 'ls-tree', '-r', tree.commitSha)
    const rows = listed
      .trim()
      .split('\n')
      .map((line) => line.replace(/ blob [0-9a-f]+\t/, ' '))
    assert.deepEqual(rows, [
      '100755 bin/run',
      '120000 bin/up',
      '120000 current',
      '100644 "deep/er/ünï \\"quoted\\" \\\\ .txt"',
      '100644 empty',
      '100644 package.json',
    ])
    assert.equal(await bare('cat-file', 'blob', `${tree.commitSha}:package.json`), '{}')
    assert.equal(await bare('cat-file', 'blob', `${tree.commitSha}:current`), 'bin')
    assert.match(await bare('cat-file', 'commit', tree.commitSha), /^author|^committer Gantry <gantry@localhost>/m)
    const fsck = await hosted.user(['--git-dir', hosted.path(), 'fsck', '--strict'])
    assert.equal(fsck.exitCode, 0, fsck.stderr)
  })

  it('may be zipped, come in any pieces, and be made by any tar', async () => {
    const plain = tar(file('a.txt', 'a'.repeat(5000)), file('b.txt', 'b'))
    const { commitSha } = await upload(plain)
    const treeOf = async (sha: string): Promise<string> => (await bare('rev-parse', `${sha}^{tree}`)).trim()
    const wanted = await treeOf(commitSha)
    const bytewise = Array.from(gzipSync(plain), (byte) => Buffer.of(byte))
    for (const bytes of [
      gzipSync(plain),
      bytewise,
      Array.from({ length: 60 }, (_, i) => plain.subarray(i * 200, i * 200 + 200)),
    ]) {
      assert.equal(await treeOf((await upload(bytes)).commitSha), wanted)
    }
    const tree = await hosted.workingTree({ 'a.txt': 'a'.repeat(5000), 'b.txt': 'b' })
    for (const format of ['gnu', 'pax', 'ustar', 'v7']) {
      const args = ['-c', `--format=${format}`, '--exclude=.git', '-f', '-', '.']
      const { stdout } = await runArgv(spawnArgv, 'tar', args, {
        cwd: tree.folder,
        env: { PATH: process.env.PATH ?? '' },
      })
      assert.equal(await treeOf((await upload(stdout)).commitSha), wanted, format)
    }
    const { stdout } = await tree.git('archive', '--format=tar', 'HEAD')
    assert.equal(await treeOf((await upload(stdout)).commitSha), wanted, 'git archive')
  })

  it('may have paths longer than a header holds', async () => {
    const long = `${'d'.repeat(90)}/${'e'.repeat(90)}/${'f'.repeat(200)}.txt`
    const { commitSha } = await upload(tar(pax({ path: long }), file('short')))
    assert.equal((await bare('ls-tree', '-r', '--name-only', commitSha)).trim(), long)
  })

  const hostile: readonly [what: string, code: string, bytes: Uint8Array][] = [
    ['a path that goes up', 'path_rejected', tar(file('../x'))],
    ['a path that goes up later', 'path_rejected', tar(file('a/b/../../../x'))],
    ['a path that ends with ..', 'path_rejected', tar(folder('a/..'))],
    ['an absolute path', 'path_rejected', tar(file('/etc/passwd'))],
    ['an absolute path behind dots', 'path_rejected', tar(file('.//etc/../passwd'))],
    ['a path with an empty part', 'path_rejected', tar(file('a//b'))],
    ['a path with a dot in between', 'path_rejected', tar(file('a/./b'))],
    ['a name of dots alone', 'path_rejected', tar(file('..'))],
    ['the root as a file', 'path_rejected', tar(file('./'.slice(0, 1)))],
    ['a prefix that goes up', 'path_rejected', tar({ name: 'x', prefix: '../..', content: 'x' })],
    ['a pax path that goes up', 'path_rejected', tar(pax({ path: '../../x' }), file('ok'))],
    ['a global pax path that goes up', 'path_rejected', tar(pax({ path: '../x' }, 'g'), file('ok'))],
    [
      'a GNU long name that goes up',
      'path_rejected',
      tar({ name: 'L', type: 'L', content: '../../long\0' }, file('ok')),
    ],
    ['.git', 'path_rejected', tar(file('.git/config', '[core]\nfsmonitor=id'))],
    ['.git deeper down', 'path_rejected', tar(file('vendor/.git/hooks/post-checkout'))],
    ['.GIT', 'path_rejected', tar(file('.GIT/config'))],
    ['.git with a trailing dot', 'path_rejected', tar(file('.git./config'))],
    ['.git with a trailing space', 'path_rejected', tar(file('.git /config'))],
    ['.git as a stream', 'path_rejected', tar(file('.git::$INDEX_ALLOCATION/config'))],
    ['git~1', 'path_rejected', tar(file('git~1/config'))],
    ['.git with a character that HFS+ ignores', 'path_rejected', tar(file('.g\u200cit/config'))],
    ['.git as a folder', 'path_rejected', tar(folder('.git'), file('a'))],
    ['.git as a link', 'path_rejected', tar(link('.git', 'a'), file('a'))],
    ['a newline in a name', 'path_rejected', tar(file('a\nM 100644 inline b'))],
    ['an escape in a name', 'path_rejected', tar(file('a\x1b[2J'))],
    ['NUL in a pax path', 'path_rejected', tar(pax({ path: 'a\0b' }), file('ok'))],
    ['a name that is not UTF-8', 'path_rejected', tar({ name: Buffer.of(0x61, 0xff, 0xfe), content: 'x' })],
    ['a very long path', 'path_rejected', tar(pax({ path: `${'d/'.repeat(600)}x` }), file('ok'))],
    ['a very long name', 'path_rejected', tar(pax({ path: 'x'.repeat(300) }), file('ok'))],
    ['a file twice', 'path_rejected', tar(file('a', '1'), file('a', '2'))],
    ['a file twice, once with a dot', 'path_rejected', tar(file('a', '1'), file('./a', '2'))],
    ['a file in place of a folder', 'path_rejected', tar(file('a/b'), file('a'))],
    ['a folder in place of a file', 'path_rejected', tar(file('a'), folder('a/'))],
    ['a file below a file', 'path_rejected', tar(file('a'), file('a/b'))],
    ['a file below a link', 'path_rejected', tar(link('a', 'b'), file('a/x'))],
    ['a folder below a link', 'path_rejected', tar(folder('b'), link('a', 'b'), folder('a/x'), file('c'))],
    ['a link twice', 'path_rejected', tar(link('a', 'b'), link('a', 'c'))],
    ['an absolute link', 'link_rejected', tar(link('a', '/etc/passwd'))],
    ['a link that goes up', 'link_rejected', tar(link('a', '../x'))],
    ['a link that goes up from below', 'link_rejected', tar(link('a/b/c', '../../../x'))],
    ['a link out through another', 'link_rejected', tar(link('x', '.'), link('a/b', '../x/../y'))],
    ['a link out through a later one', 'link_rejected', tar(link('a', 'b/../../x'), folder('d/e'), link('b', 'd'))],
    ['a link to itself', 'link_rejected', tar(link('a', 'a'))],
    ['links in a circle', 'link_rejected', tar(link('a', 'b'), link('b', 'c'), link('c', 'a'))],
    ['an empty link', 'link_rejected', tar(link('a', ''))],
    ['a pax link that is absolute', 'link_rejected', tar(pax({ linkpath: '/etc/shadow' }), link('a', 'b'))],
    ['.gitmodules as a link', 'link_rejected', tar(link('.gitmodules', 'a'), file('a'))],
    ['.gitattributes as a link', 'link_rejected', tar(link('.gitattributes', 'a'), file('a'))],
    ['a hard link', 'file_type_rejected', tar(file('a'), { name: 'b', type: '1', link: 'a' })],
    ['a hard link out', 'file_type_rejected', tar({ name: 'b', type: '1', link: '/etc/passwd' })],
    [
      'a hard link through a chain of links',
      'file_type_rejected',
      tar(link('l', '.'), { name: 'h', type: '1', link: 'l/../x' }),
    ],
    ['a character device', 'file_type_rejected', tar({ name: 'null', type: '3' })],
    ['a block device', 'file_type_rejected', tar({ name: 'sda', type: '4' })],
    ['a FIFO', 'file_type_rejected', tar({ name: 'fifo', type: '6' })],
    ['a sparse file', 'file_type_rejected', tar(pax({ 'GNU.sparse.major': '1', 'GNU.sparse.minor': '0' }), file('s'))],
    ['nothing at all', 'archive_invalid', Buffer.alloc(0)],
    ['bytes that are no tar', 'archive_invalid', Buffer.from('hello, this is not a tar archive'.repeat(50))],
    ['an end without files', 'empty_tree', end],
    ['folders alone', 'empty_tree', tar(folder('a'), folder('b/c'))],
    ['an archive cut off in a header', 'archive_invalid', tar(file('a')).subarray(0, 300)],
    ['an archive cut off in a file', 'archive_invalid', entry(file('a', 'x'.repeat(5000))).subarray(0, 2048)],
    ['an archive without an end', 'archive_invalid', entry(file('a'))],
    ['a wrong sum', 'archive_invalid', Buffer.concat([Buffer.from(tar(file('a'))).fill('b', 0, 1)])],
    ['a size that is no number', 'archive_invalid', breakSize(tar(file('a')), 'zzzzzzzzzzz')],
    [
      'a size below zero',
      'archive_invalid',
      breakSize(tar(file('a')), '\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff'),
    ],
    ['a size beyond all limits', 'file_too_large', tar({ name: 'a', size: 0o77777777777 })],
    [
      'files beyond the limit together',
      'file_too_large',
      tar(file('a', 'x'.repeat(5_000_000)), file('b', 'x'.repeat(5_000_000))),
    ],
    [
      'zipped zeros without end',
      'file_too_large',
      gzipSync(tar({ name: 'zeros', content: Buffer.alloc(64 * 1024 * 1024) })),
    ],
    ['more files than the limit', 'too_many_files', tar(...Array.from({ length: 2100 }, (_, i) => file(`f${i}`)))],
    [
      'more folders than the limit',
      'too_many_files',
      tar(...Array.from({ length: 200 }, (_, i) => file(`${i}/${'d/'.repeat(12)}x`))),
    ],
    [
      'one name more often than the limit',
      'too_many_files',
      tar(...Array.from({ length: 2100 }, () => folder('same')), file('a')),
    ],
    ['gzip that breaks off', 'archive_invalid', gzipSync(tar(file('a', 'x'.repeat(5000)))).subarray(0, 60)],
    ['gzip that is damaged', 'archive_invalid', damaged(gzipSync(tar(file('a', 'random'.repeat(500)))))],
  ]
  for (const [what, code, bytes] of hostile) {
    it(`is refused with ${what}`, async () => {
      const id = newSource()
      await assert.rejects(upload(bytes, id), (error: unknown) => {
        assert.ok(error instanceof UserError, String(error))
        assert.equal(error.code, code, error.message)
        assert.doesNotMatch(error.message, /[\0-\x1f\x7f]/)
        return true
      })
      assert.equal((await bare('for-each-ref', `refs/gantry/sources/${id}`)).trim(), '')
      const left = (await readdir(hosted.path())).filter((name) => name.startsWith('fast_import'))
      assert.deepEqual(left, [])
    })
  }

  it('keeps links that stay inside, also to nowhere', async () => {
    await upload(tar(link('a', 'b/c'), link('d/e', '../a'), link('self', '.'), link('d/up', '..'), file('b/c')))
  })

  it('is streamed, whatever its size', async () => {
    const large = await createHosted()
    try {
      const size = 200 * 1024 * 1024
      const chunk = Buffer.alloc(1024 * 1024, 'some text that packs well ')
      const bytes = function* (): Generator<Buffer> {
        yield header({ name: 'large', size })
        for (let sent = 0; sent < size; sent += chunk.length) yield chunk
        yield end
      }
      const before = process.memoryUsage().rss
      const peak = { rss: before }
      const watch = setInterval(() => {
        peak.rss = Math.max(peak.rss, process.memoryUsage().rss)
      }, 20)
      const tree = await large.source.importTar(large.repositoryId, newSource(), Readable.from(bytes()))
      clearInterval(watch)
      assert.equal(tree.sizeBytes, size)
      assert.ok(peak.rss - before < 96 * 1024 * 1024, `grew by ${(peak.rss - before) >> 20} MiB`)
    } finally {
      await large.close()
    }
  })

  it('is written to disk as it was', async () => {
    const { commitSha } = await upload(
      tar({ name: 'bin/run', content: 'run', mode: 0o755 }, file('a b/ü.txt', 'text'), link('l', 'bin/run')),
    )
    const treeId = await hosted.source.treeId(hosted.repositoryId, commitSha, '')
    const target = join(hosted.folder, 'exported')
    assert.deepEqual(await hosted.source.exportTree(hosted.repositoryId, treeId, target), {
      fileCount: 3,
      sizeBytes: 14,
    })
    assert.equal(await readFile(join(target, 'a b/ü.txt'), 'utf8'), 'text')
    assert.equal((await lstat(join(target, 'bin/run'))).mode & 0o777, 0o755)
    assert.equal(await readlink(join(target, 'l')), 'bin/run')
  })
})
