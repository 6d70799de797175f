import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { createTestBuilds, type TestBuilds } from '../../test/support/builds.ts'
import type { ArtifactId } from '../kernel/ids.ts'

const never = new AbortController().signal

describe('the executor of retention', () => {
  let t: TestBuilds
  before(async () => {
    t = await createTestBuilds({ failedBuilds: 1 })
  })
  after(async () => await t.close())

  const collect = () => t.builds.handleRetention({ kind: 'retention', subject: t.appId, fence: 1, attempt: 1 }, never)
  const make = async (text: string): Promise<{ id: ArtifactId; location: string }> => {
    const { artifactId: id } = await t.builds.run(await t.request({ Procfile: `web: ${text}` }), never)
    const artifact = await t.builds.artifact(t.test.db, t.scope, id)
    return { id, location: artifact?.location ?? '' }
  }
  const age = () => t.test.db.query(`update artifacts set last_used_at = now() - interval '1 day'`)
  const release = (artifactId: ArtifactId, version: number) =>
    t.uses.push({ artifactId, version, environmentId: t.environmentId, isPinned: false })

  it('is asked for after every build', async () => {
    await make('asks')
    assert.deepEqual(new Set(t.retentions), new Set([t.appId]))
  })

  it('removes artifacts that no kept release names, and keeps their rows for the others', async () => {
    const all = await Promise.all(Array.from({ length: 12 }, (_, n) => make(`v${n}`)))
    for (const [n, { id }] of all.entries()) release(id, n + 1)
    await age()
    await collect()
    const there = all.map(({ location }) => existsSync(location))
    assert.deepEqual(there, [false, false, ...Array.from({ length: 10 }, () => true)])
    const gone = await t.builds.artifact(t.test.db, t.scope, all[0]?.id ?? ('' as ArtifactId))
    assert.match(gone?.digest ?? '', /^sha256:/)
    assert.equal(await t.builds.take(t.test.db, t.scope, all[0]?.id ?? ('' as ArtifactId)), false)
    assert.equal(await t.builds.take(t.test.db, t.scope, all[11]?.id ?? ('' as ArtifactId)), true)
  })

  it('leaves alone what somebody took meanwhile, and what is built again comes back', async () => {
    const { id, location } = await make('taken')
    await age()
    assert.equal(await t.builds.take(t.test.db, t.scope, id), true)
    await collect()
    assert.ok(existsSync(location))
    await age()
    await collect()
    assert.ok(!existsSync(location))
    const again = await make('taken')
    assert.notEqual(again.id, id)
    assert.ok(existsSync(again.location))
  })

  it('finishes what an interruption left, and touches nothing that is not recorded', async () => {
    const request = await t.request({ Procfile: 'web: x' })
    const left = join(t.home, 'layers', t.appId, 'lay-left')
    const stranger = join(t.home, 'layers', t.appId, 'somebody-elses')
    const outside = join(t.home, 'keys')
    for (const folder of [left, stranger, outside]) await mkdir(folder, { recursive: true })
    for (const path of [left, outside]) {
      await t.test.db.query(
        `insert into build_folders (path, team_id, app_id, build_id, kind, subject_id, key, created_at)
         values ($1, $2, $3, $4, 'layer', 'lay-left', $1, now())`,
        [path, t.scope.team, t.appId, request.build.id],
      )
    }
    await collect()
    assert.ok(existsSync(left), 'its build may still go on')
    await t.builds.cancel(request, { code: 'build_cancelled', message: 'Cancelled.' })
    await collect()
    assert.ok(!existsSync(left))
    assert.ok(existsSync(stranger))
    assert.ok(existsSync(outside))
  })

  it('keeps the logs of the newest failed builds', async () => {
    const failed = []
    for (let n = 0; n < 3; n++) {
      const request = await t.request({ 'README.md': String(n) })
      await assert.rejects(t.builds.run(request, never))
      t.engine.lines.set(`build/${t.appId}/${request.build.id}`, ['why'])
      failed.push(request.build.id)
    }
    await t.test.db.query(`update builds set finished_at = now() - interval '1 day' where status = 'failed'`)
    await collect()
    const kept = failed.filter((id) => t.engine.lines.has(`build/${t.appId}/${id}`))
    assert.deepEqual(kept, failed.slice(-1))
  })

  it('removes everything of an app that is deleted', async () => {
    await t.builds.removeApp(t.scope, t.appId)
    assert.equal(existsSync(join(t.home, 'artifacts', t.appId)), false)
    assert.equal(existsSync(join(t.home, 'layers', t.appId)), false)
    assert.deepEqual(await t.test.db.query('select path from build_folders'), [])
  })
})
