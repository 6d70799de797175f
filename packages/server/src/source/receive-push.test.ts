import assert from 'node:assert/strict'
import { after, afterEach, before, describe, it } from 'node:test'
import { createHosted, endsAs, type Hosted } from '../../test/support/source.ts'

describe('a push', () => {
  let hosted: Hosted
  before(async () => {
    hosted = await createHosted()
  })
  after(() => hosted.close())
  afterEach(() => {
    hosted.deploys.script = undefined
    hosted.deploys.failure = undefined
  })
  const refOf = async (ref: string): Promise<string> =>
    (await hosted.user(['--git-dir', hosted.path(), 'rev-parse', '--verify', '-q', ref])).stdout.toString().trim()

  it('deploys, and shows how it goes', async () => {
    const tree = await hosted.workingTree()
    const pushed = await tree.push()
    assert.equal(pushed.code, 0, pushed.text)
    assert.match(pushed.text, /^remote: Building$/m)
    assert.match(pushed.text, /^remote: Live at http:\/\/hello\.localhost:8080$/m)
    assert.match(pushed.text, /\[new branch\] +main -> main/)
    assert.equal(await refOf('refs/heads/main'), (await tree.git('rev-parse', 'HEAD')).stdout.toString().trim())
    assert.deepEqual((await hosted.pushes()).at(-1), { ref: 'refs/heads/main', status: 'accepted', options: [] })
    const leftover = await hosted.user(['--git-dir', hosted.path(), 'for-each-ref', 'refs/gantry'])
    assert.equal(leftover.stdout.toString(), '')
  })

  it('whose deploy fails is refused, and pushing again retries', async () => {
    const tree = await hosted.workingTree()
    hosted.deploys.script = endsAs('failed', 'web did not answer on port 20001 within 60 s')
    const before = await refOf('refs/heads/main')
    const failed = await tree.push('-f', 'origin', 'main')
    assert.equal(failed.code, 1)
    assert.match(failed.text, /! \[remote rejected\] .*\(deploy failed: web did not answer on port 20001 within 60 s\)/)
    assert.equal(await refOf('refs/heads/main'), before)
    assert.equal((await hosted.pushes()).at(-1)?.status, 'reverted')
    hosted.deploys.script = undefined
    const again = await tree.push('-f', 'origin', 'main')
    assert.equal(again.code, 0, again.text)
  })
})
