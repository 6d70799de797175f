import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { getBuild, listBuilds } from '@gantry/api'
import { createTestBuilds, type TestBuilds } from '../../test/support/builds.ts'
import { type Call, systemScope, type TeamScope } from '../access/index.ts'
import { UserError } from '../kernel/errors.ts'
import type { AppId, TeamId } from '../kernel/ids.ts'

describe('the endpoints of builds', () => {
  let t: TestBuilds
  before(async () => {
    t = await createTestBuilds()
    const good = await t.request({ Procfile: 'web: x' })
    await t.builds.run(good, new AbortController().signal)
    const bad = await t.request({ 'README.md': '' })
    await assert.rejects(t.builds.run(bad, new AbortController().signal))
    await t.request({ Procfile: 'web: x' })
  })
  after(async () => await t.close())

  const call = async (operation: string, more: Partial<Call> & { scope: TeamScope }) => {
    const bound = t.builds.routes.find(({ endpoint }) => endpoint.operationId === operation)
    const base = { baseUrl: 'http://localhost:4400', query: {}, params: {}, headers: {} }
    return await bound?.handle({ ...base, ...more } as unknown as Call)
  }
  const list = async (query: object, scope = t.scope) =>
    listBuilds.reply.schema.parse(await call('list_builds', { scope, query: { limit: 50, ...query } }))

  it('list newest first, page by page, by app, environment and status', async () => {
    const { builds } = await list({})
    assert.deepEqual(
      builds.map(({ status }) => status),
      ['queued', 'failed', 'succeeded'],
    )
    const first = await list({ limit: 2 })
    const second = await list({ limit: 2, start: first.next?.start })
    assert.deepEqual([...first.builds, ...second.builds], builds)
    assert.equal((await list({ app_id: 'shop', environment_id: 'shop', status: 'failed' })).builds.length, 1)
    await assert.rejects(list({ app_id: 'missing' }), { code: 'not_found' })
  })

  it('show one, with its artifact or its errors', async () => {
    const [queued, failed, succeeded] = (await list({})).builds
    for (const build of [queued, failed, succeeded]) {
      const shown = getBuild.reply.schema.parse(
        await call('get_build', { scope: t.scope, params: { id: build?.id } as never }),
      )
      assert.deepEqual(shown, build)
    }
    assert.match(succeeded?.artifact_digest ?? '', /^sha256:/)
    assert.equal(succeeded?.builder, 'procfile')
    assert.equal(failed?.errors[0]?.code, 'no_builder')
    assert.equal(queued?.started_at, undefined)
  })

  it('show nothing to other teams and to tokens of other apps', async () => {
    const [build] = (await list({})).builds
    const strangers = [systemScope('tea-other' as TeamId), { ...t.scope, app: 'app-other' as AppId } as TeamScope]
    for (const scope of strangers) {
      assert.deepEqual((await list({}, scope)).builds, [])
      await assert.rejects(
        call('get_build', { scope, params: { id: build?.id } as never }),
        (error) => error instanceof UserError && error.code === 'not_found',
      )
    }
  })
})
