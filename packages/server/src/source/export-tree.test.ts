import assert from 'node:assert/strict'
import { lstat, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { createHosted, type Hosted } from '../../test/support/source.ts'
import { UserError } from '../kernel/errors.ts'

describe('a committed tree', () => {
  let hosted: Hosted
  before(async () => {
    hosted = await createHosted({ limits: { entries: 500, exportBytes: 4 * 1024 * 1024 } })
  })
  after(() => hosted.close())

  /** Writes an object into the repository as it is, past every check that a push has to pass. */
  const store = async (type: string, content: Buffer): Promise<string> => {
    const file = join(hosted.folder, 'object')
    await writeFile(file, content)
    const args = ['--git-dir', hosted.path(), 'hash-object', '-t', type, '--literally', '-w', file]
    const { stdout, stderr } = await hosted.user(args)
    assert.match(stdout.toString(), /^[0-9a-f]{40}\n$/, stderr)
    return stdout.toString().trim()
  }
  const blob = (text: string): Promise<string> => store('blob', Buffer.from(text))
  const tree = (...items: readonly [mode: string, name: string | Buffer, oid: string][]): Promise<string> =>
    store(
      'tree',
      Buffer.concat(
        items.map(([mode, name, oid]) =>
          Buffer.concat([Buffer.from(`${mode} `), Buffer.from(name), Buffer.of(0), Buffer.from(oid, 'hex')]),
        ),
      ),
    )
  const counter = { last: 0 }
  const exported = async (treeId: string): Promise<string> => {
    const folder = join(hosted.folder, `out-${counter.last++}`)
    await hosted.source.exportTree(hosted.repositoryId, treeId, folder)
    return folder
  }
  const pushed = async (files: Record<string, string>): Promise<string> => {
    const working = await hosted.workingTree(files)
    const { code, text } = await working.push('-f', 'origin', 'main')
    assert.equal(code, 0, text)
    return (await working.git('rev-parse', 'HEAD')).stdout.toString().trim()
  }

  it('is read by builders below the root of its app', async () => {
    const commit = await pushed({ 'package.json': '{"a":1}', 'api/Procfile': 'web: x', 'api/src/deep/a.js': 'a' })
    const whole = hosted.source.tree(hosted.repositoryId, commit, '')
    assert.equal(await whole.read('package.json'), '{"a":1}')
    assert.deepEqual(
      (await whole.list('')).map(({ name, type }) => [name, type]),
      [
        ['api', 'folder'],
        ['package.json', 'file'],
      ],
    )
    const below = hosted.source.tree(hosted.repositoryId, commit, 'api')
    assert.equal(await below.read('Procfile'), 'web: x')
    assert.equal(await below.read('src/deep/a.js'), 'a')
    for (const path of [
      'package.json',
      '../package.json',
      '/etc/passwd',
      'src',
      'src/..',
      '',
      'Procfile/',
      'nothing/here',
    ]) {
      assert.equal(await below.read(path), undefined, path)
    }
    for (const path of ['..', '../..', 'nothing', 'Procfile', '.git'])
      assert.deepEqual(await below.list(path), [], path)
    const [entry] = await below.list('src/deep')
    assert.match(entry?.oid ?? '', /^[0-9a-f]{40}$/)
  })

  it('is not there without its commit or its root', async () => {
    const commit = await pushed({ 'a.txt': 'a' })
    const { source, repositoryId } = hosted
    const fails = (promise: Promise<unknown>, code: string) =>
      assert.rejects(promise, (error) => error instanceof UserError && error.code === code)
    await fails(source.treeId(repositoryId, commit, 'none'), 'root_not_found')
    await fails(source.treeId(repositoryId, commit, 'a.txt'), 'root_not_found')
    await fails(source.treeId(repositoryId, '0'.repeat(40), ''), 'commit_not_found')
    for (const name of ['HEAD', 'main', '--all', `${commit}\nHEAD`, commit.slice(0, 10), '']) {
      await fails(source.treeId(repositoryId, name, ''), 'commit_not_found')
    }
    await fails(source.tree(repositoryId, '0'.repeat(40), '').list(''), 'commit_not_found')
  })

  it('has links as links, and a large file as an error', async () => {
    const working = await hosted.workingTree({ 'big.json': 'x'.repeat(4 * 1024 * 1024 + 1) })
    await symlink('/etc/passwd', join(working.folder, 'app.json'))
    await working.commit({})
    await working.push('-f', 'origin', 'main')
    const commit = (await working.git('rev-parse', 'HEAD')).stdout.toString().trim()
    const reading = hosted.source.tree(hosted.repositoryId, commit, '')
    assert.equal(await reading.read('app.json'), undefined)
    assert.equal((await reading.list('')).find(({ name }) => name === 'app.json')?.type, 'link')
    await assert.rejects(reading.read('big.json'), /more than 4 MiB/)
  })

  it('is exported whole, byte for byte, whatever its attributes ask for', async () => {
    const commit = await pushed({
      '.gitattributes': '*.txt text eol=crlf export-subst\nsecret export-ignore\n*.bin filter=id\n',
      'a.txt': 'one\ntwo $Format:%H$\n',
      secret: 'here',
      'x.bin': 'raw',
      'large.dat': 'y'.repeat(1024 * 1024),
    })
    const folder = await exported(await hosted.source.treeId(hosted.repositoryId, commit, ''))
    assert.equal(await readFile(join(folder, 'a.txt'), 'utf8'), 'one\ntwo $Format:%H$\n')
    assert.equal(await readFile(join(folder, 'secret'), 'utf8'), 'here')
    assert.equal((await readFile(join(folder, 'large.dat'))).length, 1024 * 1024)
    assert.equal((await lstat(join(folder, 'a.txt'))).mode & 0o777, 0o644)
  })

  it('is exported with names that are not UTF-8', async () => {
    const name = Buffer.of(0x66, 0xe9, 0x21)
    const folder = await exported(await tree(['100644', name, await blob('x')]))
    assert.deepEqual(await readdir(folder, { encoding: 'buffer' }), [name])
  })

  it('is not exported over something, and leaves nothing when it fails', async () => {
    const good = await tree(['100644', 'a', await blob('x')])
    const folder = await exported(good)
    await assert.rejects(hosted.source.exportTree(hosted.repositoryId, good, folder))
    const missing = await tree(['100644', 'a', 'b'.repeat(40)])
    const target = join(hosted.folder, 'fails')
    await assert.rejects(hosted.source.exportTree(hosted.repositoryId, missing, target), /lacks the blob/)
    assert.deepEqual(
      (await readdir(hosted.folder)).filter((name) => name.startsWith('fails')),
      [],
    )
    await mkdir(`${target}.part/left/over`, { recursive: true })
    await hosted.source.exportTree(hosted.repositoryId, good, target)
    assert.deepEqual(await readdir(target), ['a'], 'what a crash has left is no part of it')
  })

  it('never writes through a link or out of its folder', async () => {
    const file = await blob('owned')
    const out = await blob('../../outside')
    const inner = await tree(['100644', 'owned', file])
    const hostile: readonly [mode: string, name: string, oid: string][][] = [
      [
        ['120000', 'a', out],
        ['40000', 'a', inner],
      ],
      [
        ['40000', 'a', inner],
        ['120000', 'a', out],
      ],
      [
        ['120000', 'a', out],
        ['100644', 'a', file],
      ],
      [
        ['100644', 'a', file],
        ['100644', 'a', file],
      ],
      [['40000', '..', inner]],
      [['100644', '../owned', file]],
      [['100644', 'a/b', file]],
      [['100644', '/owned', file]],
      [['40000', '.', inner]],
      [['40000', '.git', inner]],
      [['40000', '.GIT', inner]],
      [['40000', 'git~1', inner]],
      [['100644', '', file]],
      [['100644', 'x'.repeat(300), file]],
      [['120000', 'empty', await blob('')]],
      [['120000', 'nul', await blob('a\0b')]],
      [['120000', 'long', await blob('x'.repeat(5000))]],
      [['40000', 'loop', file]],
      [['100644', 'folder', inner]],
    ]
    for (const items of hostile) {
      const names = items.map(([mode, name]) => `${mode} ${name.slice(0, 20)}`).join(', ')
      const treeId = await tree(...items)
      await assert.rejects(exported(treeId), (error) => error instanceof Error, names)
    }
    const left = await readdir(hosted.folder)
    assert.deepEqual(
      left.filter((name) => name === 'owned' || name === 'outside' || name.endsWith('.part')),
      [],
    )
    const link = await exported(await tree(['120000', 'passwd', await blob('/etc/passwd')]))
    assert.ok((await lstat(join(link, 'passwd'))).isSymbolicLink())
  })

  it('has limits for what a small pack can hold', async () => {
    let level = await tree(['100644', 'a', await blob('x')])
    for (let i = 0; i < 9; i++) {
      const below = level
      level = await tree(...Array.from({ length: 10 }, (_, n) => ['40000', `d${n}`, below] as [string, string, string]))
    }
    await assert.rejects(exported(level), (error) => error instanceof UserError && error.code === 'too_many_files')
    const large = await blob('z'.repeat(1024 * 1024))
    const heavy = await tree(
      ...Array.from({ length: 8 }, (_, n) => ['100644', `f${n}`, large] as [string, string, string]),
    )
    await assert.rejects(exported(heavy), (error) => error instanceof UserError && error.code === 'file_too_large')
  })

  it('goes on being read after the idle git processes have been ended', async () => {
    const commit = await pushed({ 'a.txt': 'a' })
    const reading = () => hosted.source.tree(hosted.repositoryId, commit, '').read('a.txt')
    assert.equal(await reading(), 'a')
    hosted.git.close()
    assert.equal(await reading(), 'a')
  })
})
