import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { describe, it } from 'node:test'
import { deflateSync } from 'node:zlib'
import { blob, header, oid, pushBody, reportOf, varint } from '../../test/support/raw-push.ts'
import { createHosted } from '../../test/support/source.ts'
import { zeroOid } from '../clients/git/index.ts'

describe('a push that is too large', () => {
  it('is told so, however large it is', async (t) => {
    const hosted = await createHosted({ maxPackBytes: 1024 * 1024 })
    t.after(() => hosted.close())
    const working = await hosted.workingTree()
    await working.git('config', 'core.compression', '0')
    for (const [index, megabytes] of [2, 48].entries()) {
      const noise = randomBytes(megabytes * 1024 * 1024).toString('base64')
      await working.commit({ [`noise-${index}.txt`]: noise })
      const pushed = await working.push()
      assert.equal(pushed.code, 1, pushed.text)
      assert.match(pushed.text, /pack exceeds maximum allowed size \(1024\.00 KiB\) \[push_too_large\]/)
    }
    const refs = await hosted.user(['--git-dir', hosted.path(), 'for-each-ref'])
    assert.equal(refs.stdout.toString(), '')
  })

  it('cannot fill the memory with an object that unpacks to more than there is', async (t) => {
    const hosted = await createHosted()
    t.after(() => hosted.close())
    // A blob that says it has 600 MiB, in a delta on a small one: git would allocate it at once.
    const size = 600 * 1024 * 1024
    const copies = Buffer.concat(Array.from({ length: 1 }, () => Buffer.of(0x01, 0x61)))
    const delta = Buffer.concat([varint(blob.content.length), varint(size), copies])
    const head = Buffer.concat([
      Buffer.from('PACK\0\0\0\x02\0\0\0\x02'),
      header(3, blob.content.length),
      deflateSync(blob.content),
    ])
    const whole = Buffer.concat([head, header(7, delta.length), Buffer.from(blob.oid, 'hex'), deflateSync(delta)])
    const packed = Buffer.concat([whole, createHash('sha1').update(whole).digest()])
    const reply = await hosted.request(pushBody([`${zeroOid} ${oid} refs/heads/x`], packed))
    assert.match(reportOf(reply), /\[push_too_large\]/)
  })
})
