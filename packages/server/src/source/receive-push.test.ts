import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, afterEach, before, describe, it } from 'node:test'
import {
  createHosted,
  endsAs,
  goLive,
  goodToken,
  type Hosted,
  readerToken,
  strangerToken,
} from '../../test/support/source.ts'
import { encodePacket, flushPacket } from '../clients/git/index.ts'
import { type Clock, systemClock } from '../kernel/clock.ts'
import { spawnArgv } from '../kernel/spawn-argv.ts'

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
  const bare = async (...args: string[]): Promise<string> =>
    (await hosted.user(['--git-dir', hosted.path(), ...args])).stdout.toString().trim()
  const refOf = (ref: string): Promise<string> => bare('rev-parse', '--verify', '-q', ref)
  const lastPush = async () => (await hosted.pushes()).at(-1)

  it('deploys, and shows how it goes', async () => {
    const tree = await hosted.workingTree()
    const pushed = await tree.push()
    assert.equal(pushed.code, 0, pushed.text)
    assert.match(pushed.text, /^remote: Building$/m)
    assert.match(pushed.text, /^remote: Live at http:\/\/hello\.localhost:8080$/m)
    assert.match(pushed.text, /\[new branch\] +main -> main/)
    assert.equal(await refOf('refs/heads/main'), (await tree.git('rev-parse', 'HEAD')).stdout.toString().trim())
    assert.deepEqual(await lastPush(), { ref: 'refs/heads/main', status: 'accepted', options: [] })
    assert.equal(await bare('for-each-ref', 'refs/gantry'), '', 'no staging ref is left')
    const again = await tree.push()
    assert.match(again.text, /Everything up-to-date/)
  })

  it('tells delivery what was pushed, by whom and from where to where', async () => {
    const tree = await hosted.workingTree()
    const oldSha = await refOf('refs/heads/main')
    await tree.push('-f', '-o', 'note=1', 'origin', 'main')
    const { scope, teamId, repositoryId, ref, newSha, createdBy, options, ...rest } =
      hosted.deploys.seen.at(-1) ?? assert.fail()
    assert.equal(repositoryId, hosted.repositoryId)
    assert.deepEqual(
      [ref, newSha, createdBy, options],
      ['refs/heads/main', await refOf('refs/heads/main'), 'owner', ['note=1']],
    )
    assert.equal(rest.oldSha, oldSha)
    assert.equal(scope.team, teamId)
  })

  it('whose deploy fails is refused, and pushing again retries', async () => {
    const tree = await hosted.workingTree()
    hosted.deploys.script = endsAs('failed', 'web did not answer on port 20001 within 60 s')
    const before = await refOf('refs/heads/main')
    const failed = await tree.push('-f', 'origin', 'main')
    assert.equal(failed.code, 1)
    assert.match(failed.text, /! \[remote rejected\] .*\(deploy failed: web did not answer on port 20001 within 60 s\)/)
    assert.equal(await refOf('refs/heads/main'), before)
    assert.equal((await lastPush())?.status, 'reverted')
    hosted.deploys.script = undefined
    const again = await tree.push('-f', 'origin', 'main')
    assert.equal(again.code, 0, again.text)
  })

  it('that makes a branch and fails leaves no branch', async () => {
    const id = await hosted.addApp('fresh')
    const tree = await hosted.workingTree()
    hosted.deploys.script = endsAs('rolled_back', 'too many errors')
    const failed = await tree.push(hosted.url('fresh'), 'main')
    assert.match(failed.text, /deploy failed: too many errors/)
    const refs = await hosted.user(['--git-dir', hosted.path(id), 'for-each-ref'])
    assert.equal(refs.stdout.toString(), '')
    hosted.deploys.script = undefined
    assert.equal((await tree.push(hosted.url('fresh'), 'main')).code, 0)
  })

  it('is accepted when superseded, refused when cancelled', async () => {
    const tree = await hosted.workingTree()
    hosted.deploys.script = endsAs('superseded', 'A newer push took over.')
    const superseded = await tree.push('-f', 'origin', 'main')
    assert.equal(superseded.code, 0)
    assert.match(superseded.text, /remote: A newer push took over\./)
    await tree.commit({ 'a.txt': '1' })
    hosted.deploys.script = endsAs('cancelled', 'cancelled by owner')
    const cancelled = await tree.push()
    assert.match(cancelled.text, /remote rejected.*deploy failed: cancelled by owner/)
  })

  it('with the option async is accepted without waiting', async () => {
    const tree = await hosted.workingTree()
    hosted.deploys.script = () => assert.fail('nobody follows')
    const pushed = await tree.push('-f', '-o', 'async', 'origin', 'main')
    assert.equal(pushed.code, 0, pushed.text)
    assert.match(pushed.text, /remote: Accepted\. The deploy goes on by itself/)
    assert.deepEqual((await lastPush())?.options, ['async'])
  })

  it('stays accepted when the client leaves', async () => {
    const tree = await hosted.workingTree()
    const following = Promise.withResolvers<void>()
    const left = Promise.withResolvers<void>()
    hosted.deploys.script = async function* (ids, signal) {
      yield { kind: 'line', text: 'Building' }
      following.resolve()
      signal.addEventListener('abort', () => left.resolve(), { once: true })
      await left.promise
      for (const deployId of ids) yield { kind: 'line', text: `too late for ${deployId}` }
    }
    const env = { PATH: process.env.PATH ?? '', HOME: hosted.folder }
    const child = spawnArgv('git', ['push', '-f', 'origin', 'main'], {
      cwd: tree.folder,
      env,
      detached: true,
      stdio: 'ignore',
    })
    await following.promise
    process.kill(-(child.pid ?? assert.fail()), 'SIGKILL')
    await left.promise
    assert.equal(await refOf('refs/heads/main'), (await tree.git('rev-parse', 'HEAD')).stdout.toString().trim())
    assert.equal((await lastPush())?.status, 'accepted')
  })

  it('stays accepted when its deploy can no longer be followed', async () => {
    const tree = await hosted.workingTree()
    hosted.deploys.script = async function* () {
      yield { kind: 'line', text: 'Building' }
      throw new Error('the database is away')
    }
    const pushed = await tree.push('-f', 'origin', 'main')
    assert.equal(pushed.code, 0, pushed.text)
    assert.match(pushed.text, /lost sight of the deploy, which goes on/)
  })

  it('is taken back when no deploy can be made', async () => {
    const tree = await hosted.workingTree()
    const before = await refOf('refs/heads/main')
    hosted.deploys.failure = new Error('no deploy for you')
    const pushed = await tree.push('-f', 'origin', 'main')
    assert.equal(pushed.code, 1)
    assert.match(pushed.text, /could not take this push, and nothing was changed.*\[internal_error\]/)
    assert.doesNotMatch(pushed.text, /no deploy for you/)
    assert.equal(await refOf('refs/heads/main'), before)
    assert.equal((await lastPush())?.status, 'rejected')
  })

  it('feeds several apps of one repository, each from its branch and root', async () => {
    const id = await hosted.addApp('api', { root: 'services/api' })
    await hosted.addApp('web', { root: 'services/web', repositoryId: id })
    const tree = await hosted.workingTree({ 'services/api/a.js': '1' })
    const missing = await tree.push(hosted.url('api'), 'main')
    assert.match(missing.text, /the commit has no folder services\/web \[root_not_found\]/)
    await tree.commit({ 'services/web/b.js': '2' })
    hosted.deploys.script = goLive
    assert.equal((await tree.push(hosted.url('web'), 'main')).code, 0)
  })

  it('from a shallow clone is taken', async () => {
    const tree = await hosted.workingTree()
    for (let i = 0; i < 5; i++) await tree.commit({ a: String(i) })
    await tree.push('-f', 'origin', 'main')
    const shallow = join(hosted.folder, 'shallow')
    await hosted.user(['clone', '-q', '--depth', '1', hosted.url(), shallow])
    await writeFile(join(shallow, 'new.txt'), 'new')
    await hosted.user(['add', '-A'], { cwd: shallow })
    await hosted.user(['commit', '-q', '-m', 'new'], { cwd: shallow })
    const pushed = await hosted.user(['push', 'origin', 'main'], { cwd: shallow })
    assert.equal(pushed.exitCode, 0, pushed.stderr)
    const other = await hosted.addApp('elsewhere')
    const refused = await hosted.user(['push', hosted.url('elsewhere'), 'main'], { cwd: shallow })
    assert.match(refused.stderr, /git fetch --unshallow/)
    assert.equal((await hosted.user(['--git-dir', hosted.path(other), 'for-each-ref'])).stdout.toString(), '')
  })

  it('can be cloned and fetched, with protocol 2 and 0', async () => {
    const tree = await hosted.workingTree({ 'a.txt': 'hello' })
    await tree.push('-f', 'origin', 'main')
    for (const version of ['2', '1', '0']) {
      const folder = join(hosted.folder, `clone-${version}`)
      const cloned = await hosted.user(['-c', `protocol.version=${version}`, 'clone', '-q', hosted.url(), folder])
      assert.equal(cloned.exitCode, 0, cloned.stderr)
      const head = await hosted.user(['rev-parse', 'HEAD'], { cwd: folder })
      assert.equal(head.stdout.toString().trim(), await refOf('refs/heads/main'))
    }
    await tree.commit({ 'b.txt': 'more' })
    await tree.push()
    const pulled = await hosted.user(['pull', '-q'], { cwd: join(hosted.folder, 'clone-2') })
    assert.equal(pulled.exitCode, 0, pulled.stderr)
  })

  it('of one branch from many sides at once is taken once, and of many branches always', async () => {
    await hosted.addApp('busy')
    const trees = await Promise.all(Array.from({ length: 6 }, () => hosted.workingTree()))
    const url = hosted.url('busy')
    const same = await Promise.all(trees.map((tree) => tree.push(url, 'main')))
    assert.equal(same.filter((pushed) => pushed.code === 0).length, 1, same.map((pushed) => pushed.text).join('\n'))
    const lost = same.filter((pushed) => pushed.code !== 0)
    for (const { text } of lost) assert.match(text, /\[push_conflict\]|\(fetch first\)/)
    const many = await Promise.all(trees.map((tree, index) => tree.push(url, `main:branch-${index}`)))
    assert.deepEqual(
      many.map((pushed) => pushed.code),
      [0, 0, 0, 0, 0, 0],
    )
  })

  it('of many megabytes is streamed', async () => {
    const tree = await hosted.workingTree()
    await tree.git('config', 'core.compression', '0')
    const size = 160 * 1024 * 1024
    await writeFile(join(tree.folder, 'big.bin'), randomBytes(size))
    await tree.commit({})
    const before = process.memoryUsage().rss
    const peak = { rss: before }
    const watch = setInterval(() => {
      peak.rss = Math.max(peak.rss, process.memoryUsage().rss)
    }, 20)
    const pushed = await tree.push('-f', 'origin', 'main')
    clearInterval(watch)
    assert.equal(pushed.code, 0, pushed.text)
    const grown = (peak.rss - before) / 1024 / 1024
    assert.ok(grown < 96, `the process grew by ${grown.toFixed(0)} MiB`)
  })

  it('needs a token, the permission and an app that is ours', async () => {
    const tree = await hosted.workingTree()
    const push = (token: string, app = 'hello') => tree.push(hosted.url(app, token), 'main:denied')
    assert.match((await push('gantry_wrong')).text, /Authentication failed|could not read/)
    assert.match((await push(readerToken)).text, /remote: This needs the permission repository:write.*\n.*403/)
    const missing = await push(goodToken, 'nothere')
    assert.match(
      missing.text,
      /remote: There is no app nothere here, or this token may not see it\. Make it with: gantry apps create nothere/,
    )
    const foreign = await push(strangerToken)
    assert.equal(
      foreign.text.replaceAll('hello', 'nothere').replace(/stranger|good/g, ''),
      missing.text.replace(/stranger|good/g, ''),
    )
    const anonymous = await fetch(`${hosted.baseUrl}/git/hello.git/info/refs?service=git-receive-pack`)
    assert.equal(anonymous.status, 401)
    assert.match(anonymous.headers.get('www-authenticate') ?? '', /^Basic realm=/)
    const read = await hosted.user(['ls-remote', hosted.url('hello', readerToken)])
    assert.equal(read.exitCode, 0)
    assert.doesNotMatch(read.stdout.toString(), /refs\/gantry/)
    assert.equal(await refOf('refs/heads/denied'), '')
    assert.deepEqual(hosted.audited.slice(-3), [
      'refused git push /git/hello.git',
      'refused git push /git/nothere.git',
      'refused git push /git/hello.git',
    ])
    assert.ok(hosted.audited.includes('allowed git push /git/hello.git'))
  })
})

describe('a client that waits', () => {
  it('gets something every five seconds, so that nobody takes the connection for dead', async (t) => {
    const beats = Promise.withResolvers<void>()
    const counter = { waits: 0 }
    const clock: Clock = {
      ...systemClock,
      async wait(ms, signal) {
        if (ms !== 5000) return await systemClock.wait(ms, signal)
        await new Promise((resolve) => setImmediate(resolve))
        if (++counter.waits === 4) beats.resolve()
        if (counter.waits > 4) await systemClock.wait(ms, signal)
      },
    }
    const hosted = await createHosted({ clock })
    t.after(() => hosted.close())
    hosted.deploys.script = async function* (ids) {
      await beats.promise
      yield* goLive(ids)
    }
    const tree = await hosted.workingTree()
    const packed = await hosted.user(['pack-objects', '--stdout', '--revs', '-q'], {
      cwd: tree.folder,
      input: 'HEAD\n',
    })
    const oid = (await tree.git('rev-parse', 'HEAD')).stdout.toString().trim()
    const command = `${'0'.repeat(40)} ${oid} refs/heads/main\0 report-status side-band-64k`
    const reply = await hosted.request(Buffer.concat([encodePacket(command), flushPacket, packed.stdout]))
    const text = reply.body.toString('latin1')
    assert.equal(text.split('0005\x01').length - 1, 4)
    assert.match(text, /ok refs\/heads\/main/)
  })
})
