import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { connect } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import {
  blob,
  commit,
  goodCommit,
  goodPack,
  goodTree,
  object,
  oid,
  pack,
  pushBody,
  type RawObject,
  reportOf,
  tree,
} from '../../test/support/raw-push.ts'
import { createHosted, type Hosted } from '../../test/support/source.ts'
import { encodePacket, zeroOid } from '../clients/git/index.ts'

describe('hostile requests', () => {
  let hosted: Hosted
  before(async () => {
    hosted = await createHosted()
    const first = await (await hosted.workingTree()).push()
    assert.equal(first.code, 0, first.text)
  })
  after(() => hosted.close())

  const state = async (): Promise<string> => {
    const refs = await hosted.user(['--git-dir', hosted.path(), 'for-each-ref'])
    return refs.stdout.toString()
  }
  /** Nothing has changed, nothing is left over, and a good push still works. */
  const isUnharmed = async (before: string): Promise<void> => {
    assert.equal(await state(), before)
    const objects = await readdir(`${hosted.path()}/objects`)
    assert.deepEqual(
      objects.filter((name) => name.includes('incoming')),
      [],
    )
    const top = await readdir(hosted.path())
    assert.deepEqual(
      top.filter((name) => /hooks|crash|COMMIT_EDITMSG/.test(name)),
      [],
    )
  }

  const urls = [
    '/git/',
    '/git/hello.git',
    '/git/hello/info/refs?service=git-upload-pack',
    '/git/hello.git/info/refs',
    '/git/hello.git/info/refs?service=git-upload-archive',
    '/git/hello.git/info/refs?service=git-upload-pack&x=1',
    '/git/hello.git/info/refs?service=--upload-pack=id',
    '/git/hello.git/HEAD',
    '/git/hello.git/config',
    '/git/hello.git/objects/info/packs',
    '/git/hello.git/../hello.git/info/refs?service=git-upload-pack',
    '/git/..%2fhello.git/info/refs?service=git-upload-pack',
    '/git/%2e%2e/%2e%2e/etc.git/info/refs?service=git-upload-pack',
    '/git/hello%2egit/info/refs?service=git-upload-pack',
    '/git/hello.git%00/info/refs?service=git-upload-pack',
    '/git/-upload.git/info/refs?service=git-upload-pack',
    '/git/--help.git/info/refs?service=git-upload-pack',
    '/git/HELLO.git/info/refs?service=git-upload-pack',
    '/git/hel--lo.git/info/refs?service=git-upload-pack',
    '/git/hello;id.git/info/refs?service=git-upload-pack',
    '/git/$(id).git/info/refs?service=git-upload-pack',
    `/git/${'a'.repeat(200)}.git/info/refs?service=git-upload-pack`,
    '//git/hello.git/info/refs?service=git-upload-pack',
    '/git//hello.git/info/refs?service=git-upload-pack',
    '/git/hello.git/info/refs/?service=git-upload-pack',
  ]
  for (const url of urls) {
    it(`refuses the address ${url.slice(0, 80)}`, async () => {
      const { status, text } = await rawGet(hosted, url)
      assert.ok([403, 404].includes(status), `${status} ${text}`)
      assert.match(text, /\[(not_found|forbidden)\]\n$/)
    })
  }

  const requests: readonly [
    what: string,
    status: number,
    body: string | Uint8Array,
    headers?: Record<string, string>,
  ][] = [
    ['an empty body', 400, ''],
    ['a length that is no number', 400, 'zzzz'],
    ['a length of 3', 400, '0003'],
    ['a negative length', 400, '-001'],
    ['a length beyond the largest', 400, 'ffff'],
    ['a packet cut off', 400, '0040abc'],
    ['a command without a ref', 400, pushBody([`${oid} ${oid}`])],
    ['a short object id', 400, pushBody([`abc ${oid} refs/heads/x`])],
    ['an object id in capitals', 400, pushBody([`${zeroOid} ${'A'.repeat(40)} refs/heads/x`])],
    ['a delimiter packet', 400, '0001'],
    ['a signed push', 400, pushBody(['push-cert'])],
    ['another object format', 400, pushBody([`${zeroOid} ${oid} refs/heads/x`], undefined, 'object-format=sha256')],
    [
      'thousands of commands',
      400,
      pushBody(Array.from({ length: 6000 }, (_, i) => `${zeroOid} ${oid} refs/heads/b${i}`)),
    ],
    ['another media type', 415, pushBody([`${zeroOid} ${oid} refs/heads/x`]), { 'content-type': 'text/plain' }],
    ['an encoding nobody knows', 415, '0000', { 'content-encoding': 'br' }],
    ['gzip that is none', 400, 'not gzip', { 'content-encoding': 'gzip' }],
    [
      'gzip cut off',
      400,
      gzipSync(pushBody([`${zeroOid} ${oid} refs/heads/x`])).subarray(0, 20),
      { 'content-encoding': 'gzip' },
    ],
  ]
  for (const [what, status, body, headers = {}] of requests) {
    it(`refuses ${what}`, async () => {
      const before = await state()
      const reply = await hosted.request(body, { headers })
      assert.equal(reply.status, status, reply.body.toString())
      assert.match(reply.body.toString(), /\[(invalid_request|unsupported_media_type)\]\n$/)
      await isUnharmed(before)
    })
  }

  const refs = [
    'HEAD',
    'main',
    'refs/heads/',
    'refs/heads',
    'refs//heads/x',
    'refs/heads/../../../../tmp/x',
    'refs/heads/..',
    'refs/heads/.hidden',
    'refs/heads/a/.b',
    'refs/heads/x.lock',
    'refs/heads/a..b',
    'refs/heads/a b',
    'refs/heads/a~1',
    'refs/heads/a^',
    'refs/heads/a:b',
    'refs/heads/a?',
    'refs/heads/a*',
    'refs/heads/a[b',
    'refs/heads/a\\b',
    'refs/heads/a@{1}',
    'refs/heads/a.',
    'refs/heads/a/',
    'refs/heads/a\x01b',
    'refs/heads/a\x7fb',
    'refs/heads/-x',
    'refs/heads/--upload-pack=id',
    'refs/heads/HEAD',
    'refs/gantry/sources/src-1',
    'refs/gantry/incoming/psh-1',
    'refs/replace/0000000000000000000000000000000000000000',
    'refs/remotes/origin/main',
    'refs/stash',
    '../../config',
    `refs/heads/${'x'.repeat(300)}`,
    `refs/heads/${'d/'.repeat(600)}x`,
    'refs/heads/\ufffd\ufffd',
  ]
  for (const ref of refs) {
    it(`refuses the ref ${JSON.stringify(ref.slice(0, 60))}`, async () => {
      const before = await state()
      const reply = await hosted.request(pushBody([`${zeroOid} ${goodCommit.oid} ${ref}`], goodPack))
      assert.equal(reply.status, 200)
      assert.match(reportOf(reply), /^ng .* \[(ref_name_invalid|ref_rejected)\]$/m)
      await isUnharmed(before)
    })
  }

  const trees: readonly [what: string, ...objects: RawObject[]][] = [
    ['.git as a file', tree(['100644', '.git', blob.oid])],
    ['.GIT as a folder', tree(['40000', '.GIT', goodTree.oid]), goodTree],
    ['.git as HFS+ reads it', tree(['40000', '.g\u200cit', goodTree.oid]), goodTree],
    ['git~1', tree(['40000', 'git~1', goodTree.oid]), goodTree],
    ['..', tree(['40000', '..', goodTree.oid]), goodTree],
    ['.', tree(['40000', '.', goodTree.oid]), goodTree],
    ['a slash in a name', tree(['100644', 'a/b', blob.oid])],
    ['an empty name', tree(['100644', '', blob.oid])],
    ['a name twice', tree(['100644', 'a', blob.oid], ['100644', 'a', blob.oid])],
    ['a link and a folder of one name', tree(['120000', 'a', blob.oid], ['40000', 'a', goodTree.oid]), goodTree],
    ['.gitmodules as a link', tree(['120000', '.gitmodules', blob.oid])],
    ['.gitmodules with an option for a URL', ...modules('url = --upload-pack=id')],
    ['.gitmodules with a path that is an option', ...modules('url = https://example.com/x\n\tpath = -x')],
    ['.gitmodules with a name that leads out', ...modules('url = https://example.com/x', '../../hooks')],
    ['.gitmodules that updates by a command', ...modules('url = https://example.com/x\n\tupdate = !id')],
    ['a tree cut off', object('tree', Buffer.from('100644 a\0short'))],
  ]
  for (const [what, root, ...rest] of trees) {
    it(`refuses a tree with ${what}`, async () => {
      const before = await state()
      assert.ok(root)
      const hostile = commit(root)
      const packed = pack(blob, root, ...rest, hostile)
      const reply = await hosted.request(pushBody([`${zeroOid} ${hostile.oid} refs/heads/hostile`], packed))
      assert.equal(reply.status, 200)
      assert.match(
        reportOf(reply),
        /^unpack (?!ok).*\nng refs\/heads\/hostile git refused the objects: .* \[object_rejected\]$/m,
      )
      await isUnharmed(before)
    })
  }

  const packs: readonly [what: string, to: string, packed: Buffer][] = [
    ['no pack at all', goodCommit.oid, Buffer.alloc(0)],
    ['bytes that are no pack', goodCommit.oid, randomBytes(1000)],
    ['a pack cut off', goodCommit.oid, goodPack.subarray(0, goodPack.length - 30)],
    ['a pack with a wrong sum', goodCommit.oid, Buffer.concat([goodPack.subarray(0, -1), Buffer.of(0)])],
    [
      'a pack of another version',
      goodCommit.oid,
      Buffer.concat([Buffer.from('PACK\0\0\0\x09\0\0\0\0'), goodPack.subarray(12)]),
    ],
    ['a pack that lacks what the commit needs', goodCommit.oid, pack(goodCommit)],
    ['a branch that is a blob', blob.oid, pack(blob)],
    ['a branch that is a tree', goodTree.oid, pack(blob, goodTree)],
    ['a commit that is none', object('commit', 'tree nothing\n').oid, pack(object('commit', 'tree nothing\n'))],
    ['an object that is not in the pack', oid, goodPack],
  ]
  for (const [what, to, packed] of packs) {
    it(`refuses ${what}`, async () => {
      const before = await state()
      const reply = await hosted.request(pushBody([`${zeroOid} ${to} refs/heads/hostile`], packed))
      assert.equal(reply.status, 200)
      assert.match(reportOf(reply), /^ng refs\/heads\/hostile .* \[[a-z_]+\]$/m)
      assert.doesNotMatch(reportOf(reply), /internal_error/)
      await isUnharmed(before)
    })
  }

  it('refuses a wrong old value, a ref named twice and the deletion of nothing', async () => {
    const before = await state()
    const wrong = await hosted.request(pushBody([`${oid} ${goodCommit.oid} refs/heads/main`], goodPack))
    assert.match(reportOf(wrong), /^ng refs\/heads\/main .*\[push_conflict\]$/m)
    const command = `${zeroOid} ${goodCommit.oid} refs/heads/x`
    const twice = await hosted.request(pushBody([command, command], goodPack))
    assert.equal(reportOf(twice).match(/names this ref twice/g)?.length, 2)
    const nothing = await hosted.request(pushBody([`${zeroOid} ${zeroOid} refs/heads/x`]))
    assert.match(reportOf(nothing), /nothing of this name to delete/)
    const unknown = await hosted.request(pushBody([`${oid} ${zeroOid} refs/heads/unknown`]))
    assert.match(reportOf(unknown), /\[push_conflict\]/)
    await isUnharmed(before)
  })

  it('refuses a tree that unfolds to more files than anybody has', async () => {
    const before = await state()
    const levels = [goodTree]
    for (let i = 0; i < 8; i++) {
      const below = levels.at(-1) ?? goodTree
      levels.push(
        tree(...Array.from({ length: 10 }, (_, n) => ['40000', `d${n}`, below.oid] as [string, string, string])),
      )
    }
    const bomb = commit(levels.at(-1) ?? goodTree)
    const main = (await hosted.user(['--git-dir', hosted.path(), 'rev-parse', 'main'])).stdout.toString().trim()
    const reply = await hosted.request(pushBody([`${main} ${bomb.oid} refs/heads/main`], pack(blob, ...levels, bomb)))
    assert.match(reportOf(reply), /more than 100000 files and folders \[too_many_files\]/)
    await isUnharmed(before)
  })

  it('refuses a tree of few folders that are huge without reading them all', async () => {
    const before = await state()
    const named = (count: number, entry: (name: string) => [string, string, string]) =>
      tree(...Array.from({ length: count }, (_, n) => entry(String(n).padStart(6, '0'))))
    const huge = named(90_000, (name) => ['100644', name, blob.oid])
    const top = named(3_000, (name) => ['40000', name, huge.oid])
    const bomb = commit(top)
    const main = (await hosted.user(['--git-dir', hosted.path(), 'rev-parse', 'main'])).stdout.toString().trim()
    const startedAt = performance.now()
    const reply = await hosted.request(pushBody([`${main} ${bomb.oid} refs/heads/main`], pack(blob, huge, top, bomb)))
    assert.match(reportOf(reply), /more than 100000 files and folders \[too_many_files\]/)
    assert.ok(performance.now() - startedAt < 10_000)
    await isUnharmed(before)
  })

  it('refuses to deploy a tree with a mode that git lets pass', async () => {
    const before = await state()
    const root = tree(['170644', 'x', blob.oid])
    const odd = commit(root)
    const main = (await hosted.user(['--git-dir', hosted.path(), 'rev-parse', 'main'])).stdout.toString().trim()
    const reply = await hosted.request(pushBody([`${main} ${odd.oid} refs/heads/main`], pack(blob, root, odd)))
    assert.match(reportOf(reply), /^ng refs\/heads\/main .*\[object_rejected\]$/m)
    await isUnharmed(before)
  })

  it('shows no control characters of names to whoever pushes', async () => {
    const root = tree(['40000', '\x1b]0;owned\x07', tree(['160000', 'x\x1b[2J', oid]).oid])
    const inner = tree(['160000', 'x\x1b[2J', oid])
    const hostile = commit(root)
    const main = (await hosted.user(['--git-dir', hosted.path(), 'rev-parse', 'main'])).stdout.toString().trim()
    const body = pushBody([`${main} ${hostile.oid} refs/heads/main`], pack(root, inner, hostile))
    const reply = await hosted.request(body)
    assert.match(reportOf(reply), /submodule_unsupported/)
    assert.doesNotMatch(reply.body.toString('latin1').replaceAll('\x01', ''), /[\x07\x1b]/)
  })

  it('shows no change of direction in the name of a branch', async () => {
    const reply = await hosted.request(
      pushBody([`${zeroOid} ${goodCommit.oid} refs/heads/\u202egnp\u2067\u009b2J`], goodPack),
    )
    assert.match(reply.body.toString(), /Kept branch gnp2J\./)
    await hosted.request(pushBody([`${goodCommit.oid} ${zeroOid} refs/heads/\u202egnp\u2067\u009b2J`]))
  })

  it('answers an empty push, as git sends one to ask whether it may', async () => {
    const reply = await hosted.request('0000')
    assert.deepEqual([reply.status, reply.body.toString()], [200, ''])
  })

  it('answers clients without side bands, and those that want no report', async () => {
    const name = 'refs/heads/plain'
    const packed = Buffer.concat([pushBody([`${zeroOid} ${goodCommit.oid} ${name}`], goodPack, 'report-status')])
    const plain = await hosted.request(packed)
    assert.equal(plain.body.toString(), `000eunpack ok\n${encodePacket(`ok ${name}\n`)}0000`)
    const silent = await hosted.request(pushBody([`${goodCommit.oid} ${zeroOid} ${name}`], undefined, 'delete-refs'))
    assert.deepEqual([silent.status, silent.body.toString()], [200, ''])
  })

  it('reads a body that is zipped', async () => {
    const name = 'refs/heads/zipped'
    const body = gzipSync(pushBody([`${zeroOid} ${goodCommit.oid} ${name}`], goodPack))
    const reply = await hosted.request(body, { headers: { 'content-encoding': 'gzip' } })
    assert.match(reportOf(reply), /^ok refs\/heads\/zipped$/m)
  })
})

function modules(lines: string, name = 'x'): RawObject[] {
  const file = object('blob', `[submodule "${name}"]\n\t${lines}\n`)
  return [tree(['100644', '.gitmodules', file.oid]), file]
}

/** As the bytes stand there: fetch would tidy the path up. */
function rawGet(hosted: Hosted, path: string): Promise<{ status: number; text: string }> {
  const { port } = new URL(hosted.baseUrl)
  const authorization = `Basic ${Buffer.from('git:gantry_good').toString('base64')}`
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), '127.0.0.1')
    socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: ${authorization}\r\nConnection: close\r\n\r\n`)
    let text = ''
    socket.setEncoding('utf8').on('data', (chunk) => {
      text += chunk
    })
    socket.once('error', reject)
    socket.once('close', () => {
      const body = text.slice(text.indexOf('\r\n\r\n') + 4).replace(/^[0-9a-f]+\r\n|\r\n0\r\n\r\n$/g, '')
      resolve({ status: Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1]), text: body })
    })
  })
}
