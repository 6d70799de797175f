import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createHosted } from '../../test/support/source.ts'

describe('the packs of pushes', () => {
  it('are packed together when there are many, and everything can still be read', { timeout: 60_000 }, async (t) => {
    const hosted = await createHosted({ limits: { packs: 3 } })
    t.after(() => hosted.close())
    const tree = await hosted.workingTree()
    for (let i = 0; i < 4; i++) {
      await tree.commit({ a: String(i) })
      assert.equal((await tree.push()).code, 0)
    }
    while ((await hosted.git.countPacks(hosted.path())) > 1) {
      t.signal.throwIfAborted()
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    await tree.commit({ a: 'after' })
    assert.equal((await tree.push()).code, 0)
    const cloned = await hosted.user(['clone', '-q', hosted.url(), 'whole'])
    assert.equal(cloned.exitCode, 0, cloned.stderr)
  })
})
