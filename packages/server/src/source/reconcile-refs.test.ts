import assert from 'node:assert/strict'
import { once } from 'node:events'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { createHosted, type Hosted } from '../../test/support/source.ts'
import { spawnArgv } from '../kernel/spawn-argv.ts'
import type { SourceFailpoint } from './source.ts'

const fixture = fileURLToPath(new URL('push-server.fixture.ts', import.meta.url))

describe('a push during which the control plane is killed', () => {
  let hosted: Hosted
  before(async () => {
    hosted = await createHosted()
  })
  after(() => hosted.close())

  /** Pushes to a server that kills itself at the failpoint, and gives what is on record then. */
  async function pushAndKill(app: string, failpoint: SourceFailpoint) {
    const id = await hosted.addApp(app)
    const args = [
      '--conditions=gantry-source',
      fixture,
      hosted.database.url,
      join(hosted.folder, 'repositories'),
      failpoint,
    ]
    const server = spawnArgv(process.execPath, args, {
      env: { PATH: process.env.PATH ?? '' },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const exited = once(server, 'exit')
    const [port] = await once(server.stdout ?? assert.fail(), 'data')
    const tree = await hosted.workingTree()
    const pushed = await tree.push(`http://git:any@127.0.0.1:${String(port).trim()}/git/${app}.git`, 'main')
    assert.notEqual(pushed.code, 0)
    const [, signal] = await exited
    assert.equal(signal, 'SIGKILL')
    const oid = (await tree.git('rev-parse', 'HEAD')).stdout.toString().trim()
    return { id, tree, oid }
  }
  const refsOf = async (id: Parameters<Hosted['path']>[0]): Promise<string> =>
    (
      await hosted.user(['--git-dir', hosted.path(id), 'for-each-ref', '--format=%(refname) %(objectname)'])
    ).stdout.toString()
  const statusOf = async (oid: string): Promise<string | undefined> => {
    const [row] = await hosted.database.db.query<{ status: string }>('select status from pushes where new_sha = $1', [
      oid,
    ])
    return row?.status
  }
  const deploysOf = (oid: string): number => hosted.deploys.seen.filter((push) => push.newSha === oid).length

  it('before the ref moves was never pushed, and can be pushed again', async () => {
    const { id, tree, oid } = await pushAndKill('received', 'push.received')
    assert.equal(await statusOf(oid), 'received')
    await hosted.restart()
    assert.equal(await statusOf(oid), 'rejected')
    assert.equal(await refsOf(id), '', 'no branch and no staging ref')
    assert.equal(deploysOf(oid), 0)
    assert.equal((await tree.push(hosted.url('received'), 'main')).code, 0)
    assert.equal(deploysOf(oid), 1)
  })

  it('after the ref has moved is accepted and deployed', async () => {
    const { id, tree, oid } = await pushAndKill('moved', 'push.ref_moved')
    assert.equal(await statusOf(oid), 'received')
    assert.equal(await refsOf(id), `refs/heads/main ${oid}\n`)
    await hosted.restart()
    assert.equal(await statusOf(oid), 'accepted')
    assert.equal(deploysOf(oid), 1)
    assert.match((await tree.push(hosted.url('moved'), 'main')).text, /Everything up-to-date/)
    await hosted.restart()
    assert.equal(deploysOf(oid), 1, 'settled once')
  })

  it('after it was accepted stays so', async () => {
    const { oid } = await pushAndKill('accepted', 'push.accepted')
    await hosted.restart()
    assert.equal(await statusOf(oid), 'accepted')
    assert.equal(deploysOf(oid), 0, 'the deploy was made in the transaction that accepted it')
  })

  for (const failpoint of ['push.reverting', 'push.reverted'] as const) {
    it(`at ${failpoint} of a push whose deploy failed is put back, and can be pushed again`, async () => {
      const app = failpoint.replace('.', '-')
      const { id, tree, oid } = await pushAndKill(app, failpoint)
      await hosted.restart()
      assert.equal(await refsOf(id), '')
      assert.equal(await statusOf(oid), 'reverted')
      assert.equal((await tree.push(hosted.url(app), 'main')).code, 0)
    })
  }

  it('while it was being put back, and the ref has moved on, leaves the ref alone', async () => {
    const { id, tree, oid } = await pushAndKill('moved-on', 'push.reverting')
    await tree.git('commit', '--allow-empty', '--message', 'next')
    const next = (await tree.git('rev-parse', 'HEAD')).stdout.toString().trim()
    assert.equal((await tree.push(hosted.url('moved-on'), 'main')).code, 0)
    await hosted.restart()
    assert.equal(await refsOf(id), `refs/heads/main ${next}\n`)
    assert.equal(await statusOf(oid), 'accepted')
  })

  it('settles the others when one repository is broken', async () => {
    const { oid } = await pushAndKill('good', 'push.ref_moved')
    const { id, oid: lost } = await pushAndKill('broken', 'push.received')
    await hosted.source.deleteRepository(id)
    await hosted.restart()
    assert.equal(await statusOf(oid), 'accepted')
    assert.equal(await statusOf(lost), 'received')
  })
})
