import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { insertTestTeam, insertTestToken } from '../../test/support/access.ts'
import { assembleWorld, type DeliveryWorld, until } from '../../test/support/delivery.ts'
import { startTestServer, type TestServer } from '../../test/support/http.ts'
import { releaseRoutes } from '../releases/index.ts'

let world: DeliveryWorld
let server: TestServer

before(async () => {
  server = await startTestServer({
    endpoints: (database, access) => {
      world = assembleWorld(database, access)
      return [...world.apps.routes, ...world.delivery.routes, ...releaseRoutes(database.db)]
    },
  })
})
after(() => server.close())

const post = (path: string, body: object) => server.send(path, { method: 'POST', body })
const patch = (path: string, body: object, headers = {}) => server.send(path, { method: 'PATCH', body, headers })
const pathOf = (href: string) => href.replace(/^http:\/\/[^/]*/, '')
const codeOf = (reply: { json: { errors?: { code: string }[] } }) => reply.json.errors?.[0]?.code

describe('apps', () => {
  it('are created with a repository and production, and found by id or name', async () => {
    const made = await post('/v1/apps', { name: 'shop', root: 'services/shop' })
    assert.equal(made.status, 201)
    assert.match(made.json.git_url, /^http:.*\/git\/shop\.git$/)
    assert.equal(made.json.branch, 'main')
    assert.deepEqual((await server.send('/v1/apps/shop')).json, made.json)
    assert.deepEqual((await server.send(`/v1/apps/${made.json.id}`)).json, made.json)
    const production = await server.send('/v1/environments/shop')
    assert.equal(production.json.name, 'production')
    assert.equal(production.json.status, 'empty')
    assert.equal(production.json.url, 'http://shop.localhost:8080')
    assert.ok(world.removed.some((text) => text.startsWith('made rep-')))
  })

  it('have names of their own, even when created at the same moment', async () => {
    const replies = await Promise.all(Array.from({ length: 5 }, () => post('/v1/apps', { name: 'twin' })))
    assert.deepEqual(replies.map((reply) => reply.status).sort(), [201, 409, 409, 409, 409])
    assert.equal(codeOf(await post('/v1/apps', { name: 'twin' })), 'name_taken')
    assert.equal(codeOf(await post('/v1/apps', { name: 'Twin' })), 'name_invalid')
    assert.equal(codeOf(await post('/v1/apps', { name: 'rooted', root: '../x' })), 'invalid_field')
  })

  it('are changed only when they are still as they were read', async () => {
    const { json: app } = await post('/v1/apps', { name: 'changing' })
    const first = await patch('/v1/apps/changing', { branch: 'trunk' }, { 'if-match': app.etag })
    assert.equal(first.json.branch, 'trunk')
    const second = await patch('/v1/apps/changing', { branch: 'next' }, { 'if-match': app.etag })
    assert.equal(second.status, 412)
    assert.equal((await patch('/v1/apps/changing', { branch: 'a..b' })).status, 400)
  })

  it('are listed in pages, newest first, each once', async () => {
    for (let n = 0; n < 7; n++) await post('/v1/apps', { name: `listed-${n}` })
    const names: string[] = []
    for (let path = '/v1/apps?limit=3'; path; ) {
      const { json } = await server.send(path)
      assert.ok(json.apps.length <= 3)
      names.push(...json.apps.map((app: { name: string }) => app.name))
      path = json.next ? pathOf(json.next.href) : ''
    }
    const listed = names.filter((name) => name.startsWith('listed-'))
    assert.deepEqual(
      listed.sort(),
      [0, 1, 2, 3, 4, 5, 6].map((n) => `listed-${n}`),
    )
    assert.equal(new Set(names).size, names.length)
    const { json } = await server.send('/v1/apps?limit=1')
    const other = await server.send(`/v1/apps?limit=1&name=shop&start=${json.next.start}`)
    assert.equal(codeOf(other), 'invalid_page_token')
    assert.equal((await server.send('/v1/apps?name=shop')).json.apps.length, 1)
  })

  it('of another team are not there', async () => {
    const teamId = await insertTestTeam(world.db, 'neighbours')
    const token = await insertTestToken(world.db, {
      teamId,
      role: 'owner',
      scopes: ['app:read', 'app:delete', 'config:read'],
    })
    const headers = { authorization: `Bearer ${token}` }
    assert.equal((await server.send('/v1/apps/shop', { headers })).status, 404)
    assert.equal((await server.send('/v1/apps/shop', { method: 'DELETE', headers })).status, 404)
    assert.equal((await server.send('/v1/environments/shop/config', { headers })).status, 404)
    assert.deepEqual((await server.send('/v1/apps', { headers })).json.apps, [])
  })

  it('are deleted with everything, and their name is free at once', async () => {
    const { json: app } = await post('/v1/apps', { name: 'doomed' })
    const { json: production } = await server.send('/v1/environments/doomed')
    await world.db.query(`insert into routes (environment_id, revision, boot_id, entry) values ($1, 1, '', '{}')`, [
      production.id,
    ])
    const deleting = server.send('/v1/apps/doomed', { method: 'DELETE' })
    await until('it is marked', async () => (await server.send('/v1/apps/doomed')).status === 404)
    assert.ok(!world.removed.includes(`unrouted ${production.id}`))
    await world.db.query('update routes set entry = null where environment_id = $1', [production.id])
    assert.equal((await deleting).status, 204)
    assert.ok(world.removed.includes(`unrouted ${production.id}`))
    assert.equal((await server.send('/v1/apps/doomed')).status, 404)
    assert.equal((await server.send('/v1/environments/doomed')).status, 404)
    assert.equal((await post('/v1/apps', { name: 'doomed' })).status, 201)
    const running = world.start()
    try {
      await until('its rows are gone', async () => {
        return (await world.db.query('select 1 from apps where id = $1', [app.id])).length === 0
      })
    } finally {
      await running.stop()
    }
    assert.ok(world.removed.includes(app.id))
  })
})

describe('environments', () => {
  before(() => post('/v1/apps', { name: 'staged' }))

  it('are created beside production and deleted without it', async () => {
    const made = await post('/v1/environments', { app: { id: 'staged' }, name: 'staging' })
    assert.equal(made.status, 201)
    assert.equal(made.json.label, 'staging--staged')
    assert.equal(codeOf(await post('/v1/environments', { app: { id: 'staged' }, name: 'staging' })), 'name_taken')
    assert.equal((await server.send('/v1/environments?app_id=staged')).json.environments.length, 2)
    const protectedOne = await server.send('/v1/environments/staged', { method: 'DELETE' })
    assert.equal(codeOf(protectedOne), 'environment_protected')
    assert.equal((await server.send('/v1/environments/staging--staged', { method: 'DELETE' })).status, 204)
    assert.equal((await server.send('/v1/environments/staging--staged')).status, 404)
    assert.equal((await post('/v1/environments', { app: { id: 'staged' }, name: 'staging' })).status, 201)
    const running = world.start()
    try {
      await until('the deleted one is gone', () => world.removed.includes(made.json.id))
    } finally {
      await running.stop()
    }
  })

  it('are scaled, and restarted when something runs', async () => {
    assert.equal(codeOf(await server.send('/v1/environments/staged/restart', { method: 'POST' })), 'nothing_to_restart')
    const running = world.start()
    try {
      const { json: environment } = await server.send('/v1/environments/staged')
      await world.reaches(await world.push(environment.id), 'live')
    } finally {
      await running.stop()
    }
    const scaled = await patch('/v1/environments/staged', { scale: { web: 3 } })
    assert.deepEqual(scaled.json.scale, { web: 3 })
    assert.equal(scaled.json.live_release.name, 'v1')
    assert.equal(scaled.json.status, 'degraded')
    assert.equal(codeOf(await patch('/v1/environments/staged', { scale: { wrker: 1 } })), 'process_type_unknown')
    assert.deepEqual((await patch('/v1/environments/staged', { scale: { web: 0 } })).json.status, 'stopped')
    assert.deepEqual((await patch('/v1/environments/staged', { scale: { web: null } })).json.scale, { web: 1 })
    assert.equal((await server.send('/v1/environments/staged/restart', { method: 'POST' })).status, 202)
    const [row] = await world.db.query<{ generation: number }>(`select generation from environments where id = $1`, [
      scaled.json.id,
    ])
    assert.equal(row?.generation, 2)
  })
})

describe('config', () => {
  before(() => post('/v1/apps', { name: 'configured' }))

  it('is set, read and removed, and counts its changes', async () => {
    const empty = await server.send('/v1/environments/configured/config')
    assert.deepEqual(empty.json.variables, {})
    assert.equal(empty.json.version, 0)
    const set = await patch('/v1/environments/configured/config', { variables: { A: 'secret-1', B: '2' } })
    assert.equal(set.json.version, 1)
    assert.equal(set.json.deploy, undefined)
    const same = await patch('/v1/environments/configured/config', { variables: { A: 'secret-1' } })
    assert.equal(same.json.version, 1)
    const removed = await patch('/v1/environments/configured/config', { variables: { B: null } })
    assert.deepEqual(removed.json.variables, { A: 'secret-1' })
    assert.equal(removed.json.version, 2)
    const read = await server.send('/v1/environments/configured/config')
    assert.equal(read.headers.get('cache-control'), 'no-store')
    assert.equal(read.headers.get('etag'), removed.json.etag)
  })

  it('is changed only when it is still as it was read', async () => {
    const { json } = await server.send('/v1/environments/configured/config')
    const replies = await Promise.all(
      ['x', 'y', 'z'].map((value) =>
        patch('/v1/environments/configured/config', { variables: { RACE: value } }, { 'if-match': json.etag }),
      ),
    )
    assert.deepEqual(replies.map((reply) => reply.status).sort(), [200, 412, 412])
  })

  it('lies in the database encrypted', async () => {
    const rows = await world.db.query<{ ciphertext: Buffer }>('select ciphertext from config_values', [])
    assert.ok(rows.length > 0)
    assert.ok(rows.every(({ ciphertext }) => !ciphertext.toString('latin1').includes('secret-1')))
  })

  it('of builds is another one', async () => {
    const set = await patch('/v1/environments/configured/build_config', { variables: { TITLE: 'x' } })
    assert.equal(set.json.kind, 'build')
    assert.equal((await server.send('/v1/environments/configured/config')).json.variables.TITLE, undefined)
    const bad = await patch('/v1/environments/configured/config', { variables: { PORT: '1' } })
    assert.equal(codeOf(bad), 'config_name_reserved')
  })
})

describe('deploys and releases', () => {
  it('are shown as the document says, at every turn', async () => {
    await post('/v1/apps', { name: 'delivered' })
    const { json: environment } = await server.send('/v1/environments/delivered')
    const commit_sha = 'a'.repeat(40)
    const begin = () => post('/v1/deploys', { environment: { id: 'delivered' }, kind: 'commit', commit_sha })
    const queued = await begin()
    assert.equal(queued.status, 202)
    assert.equal(queued.json.status, 'queued')
    const running = world.start()
    try {
      await world.reaches(queued.json.id, 'live')
      const second = await begin()
      await world.reaches(second.json.id, 'live')
      const config = await patch('/v1/environments/delivered/config', { variables: { A: '1' } })
      assert.ok(config.json.deploy)
      await world.reaches(config.json.deploy.id, 'live')
      const back = await post('/v1/deploys', { environment: { id: 'delivered' }, kind: 'rollback' })
      await world.reaches(back.json.id, 'live')
      world.levers.build = 'fails'
      const failing = await begin()
      await world.reaches(failing.json.id, 'failed')
      const failed = await server.send(`/v1/deploys/${failing.json.id}`)
      assert.equal(failed.json.errors[0].code, 'build_failed')
      const again = await server.send(`/v1/deploys/${failing.json.id}/retry`, { method: 'POST' })
      assert.equal(again.status, 202)
      assert.equal(again.json.retry_of.id, failing.json.id)
      await world.reaches(again.json.id, 'failed')
      assert.equal(
        codeOf(await server.send(`/v1/deploys/${again.json.id}/cancel`, { method: 'POST' })),
        'invalid_state',
      )
    } finally {
      world.levers.build = 'succeeds'
      await running.stop()
    }
    const { json: releases } = await server.send('/v1/releases?environment_id=delivered')
    assert.deepEqual(
      releases.releases.map((release: { name: string; is_live: boolean; reason: string }) => [
        release.name,
        release.is_live,
        release.reason,
      ]),
      [
        ['v4', true, 'rollback'],
        ['v3', false, 'config'],
        ['v2', false, 'deploy'],
        ['v1', false, 'deploy'],
      ],
    )
    assert.equal(releases.releases[0].rollback_of.name, 'v2')
    assert.equal((await server.send(`/v1/releases/${releases.releases[0].id}`)).status, 200)
    assert.equal((await server.send('/v1/releases/rel-nothing')).status, 404)
    const { json: failed } = await server.send('/v1/deploys?status=failed&app_id=delivered')
    assert.equal(failed.deploys.length, 2)
    const { json: page } = await server.send(`/v1/deploys/${queued.json.id}/events?limit=2`)
    assert.equal(page.events.length, 2)
    assert.equal(page.events[0].from_status, undefined)
    const rest = await server.send(pathOf(page.next.href))
    assert.equal(rest.json.events[0].from_status, 'building')
    assert.equal((await server.send(`/v1/deploys/${queued.json.id}/logs`)).status, 200)
    const { json: shown } = await server.send('/v1/environments/delivered')
    assert.equal(shown.id, environment.id)
    assert.equal(shown.live_release.name, 'v4')
  })

  it('that cannot be begun say why', async () => {
    const missing = await post('/v1/deploys', {
      environment: { id: 'delivered' },
      kind: 'upload',
      source: { id: 'src-00000000000000000000000000' },
    })
    assert.equal(codeOf(missing), 'source_not_found')
    const wrong = await post('/v1/deploys', { environment: { id: 'nowhere' }, kind: 'rollback' })
    assert.equal(codeOf(wrong), 'not_found')
    const live = await post('/v1/deploys', {
      environment: { id: 'delivered' },
      kind: 'rollback',
      rollback_to: { id: 'v4' },
    })
    assert.equal(codeOf(live), 'already_live')
  })
})
