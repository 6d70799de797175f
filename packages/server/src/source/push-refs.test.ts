import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { createHosted, type Hosted } from '../../test/support/source.ts'

describe('what becomes of the refs of a push', () => {
  let hosted: Hosted
  before(async () => {
    hosted = await createHosted()
    const first = await (await hosted.workingTree()).push()
    assert.equal(first.code, 0, first.text)
  })
  after(() => hosted.close())
  const bare = async (...args: string[]): Promise<string> =>
    (await hosted.user(['--git-dir', hosted.path(), ...args])).stdout.toString().trim()
  const refOf = (ref: string): Promise<string> => bare('rev-parse', '--verify', '-q', ref)

  it('keeps other branches and tags, and says that nothing deploys', async () => {
    const tree = await hosted.workingTree()
    const seen = hosted.deploys.seen.length
    const branch = await tree.push('origin', 'main:feature/a;b', 'main:feature/$(id)')
    assert.equal(branch.code, 0, branch.text)
    assert.match(branch.text, /remote: Kept branch feature\/a;b\. Nothing deploys from it: hello deploys from main\./)
    await tree.git('tag', '-a', 'v1', '-m', 'one')
    const tag = await tree.push('origin', 'v1')
    assert.match(tag.text, /remote: Kept tag v1\. Nothing deploys from it/)
    assert.equal((await tree.push('origin', ':feature/a;b')).text.includes('Deleted branch feature/a;b.'), true)
    assert.equal(hosted.deploys.seen.length, seen)
    assert.equal(await refOf('refs/heads/feature/a;b'), '')
  })

  it('cannot delete the branch that deploys, nor touch names of ours', async () => {
    const tree = await hosted.workingTree()
    const deletion = await tree.push('origin', ':main')
    assert.match(
      deletion.text,
      /hello deploys from this branch; to remove the app: gantry apps delete hello \[ref_deletion_rejected\]/,
    )
    const own = await tree.push('origin', 'main:refs/gantry/sources/src-1')
    assert.match(own.text, /names under refs\/gantry\/ are Gantry's own \[ref_rejected\]/)
    const odd = await tree.push('origin', 'main:refs/pull/1/head')
    assert.match(odd.text, /only branches and tags can be pushed; hello deploys from main \[ref_rejected\]/)
    assert.notEqual(await refOf('refs/heads/main'), '')
    assert.equal(await bare('for-each-ref', 'refs/gantry', 'refs/pull'), '')
  })

  it('of several refs takes what it can, or nothing when it is atomic', async () => {
    const tree = await hosted.workingTree()
    const some = await tree.push('origin', 'main:one', 'main:refs/gantry/x', 'main:two')
    assert.equal(some.code, 1)
    assert.match(some.text, /main -> one\n/)
    assert.match(some.text, /main -> two\n/)
    assert.match(some.text, /main -> refs\/gantry\/x \(names under/)
    const atomic = await tree.push('--atomic', 'origin', 'main:three', 'main:refs/gantry/x', 'main:four')
    assert.equal(atomic.code, 1)
    assert.match(atomic.text, /another ref of this atomic push was refused/)
    assert.equal(await bare('for-each-ref', '--format=%(refname)', 'refs/heads/three', 'refs/heads/four'), '')
  })

  it('with a name that is a folder of another is refused for that name alone', async () => {
    const tree = await hosted.workingTree()
    await tree.push('origin', 'main:dir')
    const pushed = await tree.push('origin', 'main:dir/below', 'main:beside')
    assert.match(pushed.text, /main -> dir\/below \(another branch or tag has this name as a folder/)
    assert.match(pushed.text, /main -> beside\n/)
    assert.equal(await bare('for-each-ref', 'refs/gantry'), '')
  })

  it('that is forced says what it replaced', async () => {
    const tree = await hosted.workingTree()
    await tree.push('-f', 'origin', 'main')
    const old = (await tree.git('rev-parse', 'HEAD')).stdout.toString().slice(0, 7)
    await tree.git('commit', '-q', '--amend', '-m', 'other')
    const pushed = await tree.push('-f', 'origin', 'main')
    assert.equal(pushed.code, 0)
    assert.match(pushed.text, new RegExp(`remote: Forced: main was ${old}, which is not part of`))
    await tree.commit({ a: '1' })
    await tree.commit({ a: '2' })
    assert.doesNotMatch((await tree.push()).text, /Forced/)
  })

  it('of what cannot be deployed is refused before the branch moves', async () => {
    const before = await refOf('refs/heads/main')
    const empty = await hosted.workingTree({})
    await empty.commit({})
    assert.match((await empty.push('-f', 'origin', 'main')).text, /the commit has no files \[empty_tree\]/)

    const submodule = await hosted.workingTree()
    const oid = (await submodule.git('rev-parse', 'HEAD')).stdout.toString().trim()
    await submodule.git('update-index', '--add', '--cacheinfo', `160000,${oid},vendor/lib`)
    await submodule.git('commit', '-q', '-m', 'submodule')
    const refused = await submodule.push('-f', 'origin', 'main')
    assert.match(refused.text, /vendor\/lib is a submodule.*\[submodule_unsupported\]/)

    const pointer = 'version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n'
    const lfs = await hosted.workingTree({
      '.gitattributes': '*.bin filter=lfs diff=lfs\n',
      'a.txt': 'a',
      'b/c.bin': pointer,
    })
    assert.match((await lfs.push('-f', 'origin', 'main')).text, /b\/c\.bin is a Git LFS pointer.*\[lfs_unsupported\]/)
    const unused = await hosted.workingTree({ '.gitattributes': '*.bin filter=lfs\n', 'a.txt': 'a' })
    assert.equal(await refOf('refs/heads/main'), before)
    assert.deepEqual(
      (await hosted.pushes()).slice(-3).map((push) => push.status),
      ['rejected', 'rejected', 'rejected'],
    )
    assert.equal((await unused.push('-f', 'origin', 'main')).code, 0, 'LFS attributes without a pointer')
    assert.equal((await lfs.push('origin', 'main:lfs-elsewhere')).code, 0, 'other branches may hold anything')
  })
})
