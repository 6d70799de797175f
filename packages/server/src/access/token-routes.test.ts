import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { permissions } from '@gantry/api'
import { insertTestTeam, insertTestToken } from '../../test/support/access.ts'
import { startTestServer, type TestServer } from '../../test/support/http.ts'

describe('the token endpoints', () => {
  let server: TestServer
  before(async () => {
    server = await startTestServer()
  })
  after(() => server.close())
  const create = (body: object) => server.send('/v1/tokens', { method: 'POST', body })

  it('shows a token once, at its creation', async () => {
    const made = await create({ name: 'ci', scopes: ['app:read', 'deploy:create'] })
    assert.equal(made.status, 201)
    assert.match(made.json.token, /^gantry_[0-9A-Za-z]{43}$/)
    assert.equal(made.headers.get('location'), made.json.href)
    assert.equal(made.headers.get('cache-control'), 'no-store')
    const shown = await server.send(`/v1/tokens/${made.json.id}`)
    assert.equal(shown.status, 200)
    const { token, ...rest } = made.json
    assert.deepEqual({ ...shown.json, href: '' }, { ...rest, href: '' })
    assert.ok(token.startsWith(shown.json.prefix))
    const own = await server.send('/v1/tokens', { headers: { authorization: `Bearer ${token}` } })
    assert.equal(own.status, 403)
    assert.equal(own.json.errors[0].code, 'forbidden')
  })

  it('makes no token that permits more than its maker, or works from the past', async () => {
    const { teamId } = server.owner
    const maker = await insertTestToken(server.database.db, { teamId, role: 'developer', scopes: permissions })
    const headers = { authorization: `Bearer ${maker}` }
    const wide = await server.send('/v1/tokens', {
      method: 'POST',
      headers,
      body: { name: 'x', scopes: ['app:delete'] },
    })
    assert.deepEqual([wide.status, wide.json.errors[0].target.name], [403, 'scopes'])
    const narrow = await server.send('/v1/tokens', { method: 'POST', headers, body: { name: 'x' } })
    assert.equal(narrow.status, 201)
    assert.ok(!narrow.json.scopes.includes('app:delete'))
    const late = await create({ name: 'x', expires_at: '2020-01-01T00:00:00.000Z' })
    assert.deepEqual([late.status, late.json.errors[0].code], [400, 'invalid_field'])
  })

  it('limits a token to an app of the team', async () => {
    const { db } = server.database
    const { teamId } = server.owner
    const other = await insertTestTeam(db, 'neighbours')
    for (const [id, team, name] of [
      ['app-1', teamId, 'shop'],
      ['app-2', other, 'theirs'],
    ]) {
      await db.query('insert into repositories values ($1, $2, now())', [`rep-${id}`, team])
      await db.query(
        'insert into apps (id, team_id, repository_id, name, created_at, updated_at) values ($1, $2, $3, $4, now(), now())',
        [id, team, `rep-${id}`, name],
      )
    }
    const made = await create({ name: 'shop ci', app: { id: 'shop' } })
    assert.equal(made.status, 201)
    assert.equal(made.json.app.id, 'app-1')
    assert.ok(!made.json.scopes.includes('app:create'))
    const foreign = await create({ name: 'x', app: { id: 'theirs' } })
    const missing = await create({ name: 'x', app: { id: 'nothing' } })
    assert.deepEqual([foreign.status, missing.status], [404, 404])
    const wide = await create({ name: 'x', app: { id: 'shop' }, scopes: ['token:create'] })
    assert.equal(wide.status, 400)
  })

  it('pages the list, newest first', async () => {
    for (let n = 0; n < 5; n++) await create({ name: `page ${n}`, scopes: ['app:read'] })
    const first = await server.send('/v1/tokens?limit=3')
    assert.equal(first.json.tokens.length, 3)
    assert.equal(first.json.tokens[0].name, 'page 4')
    const second = await server.send(first.json.next.href.replace(/^http:\/\/[^/]+/, ''))
    assert.equal(second.json.tokens[1].name, 'page 0')
    const bad = await server.send('/v1/tokens?start=nonsense')
    assert.deepEqual([bad.status, bad.json.errors[0].code], [400, 'invalid_page_token'])
  })

  it('revokes once for all, on the version that was read', async () => {
    const made = await create({ name: 'short-lived' })
    const path = `/v1/tokens/${made.json.id}`
    const stale = await server.send(path, { method: 'DELETE', headers: { 'if-match': '"0000000000000000"' } })
    assert.equal(stale.status, 412)
    const gone = await server.send(path, { method: 'DELETE', headers: { 'if-match': made.json.etag } })
    assert.deepEqual([gone.status, gone.text], [204, ''])
    const refused = await server.send('/v1/tokens', { headers: { authorization: `Bearer ${made.json.token}` } })
    assert.deepEqual([refused.status, refused.json.errors[0].code], [401, 'unauthenticated'])
    assert.match((await server.send(path)).json.revoked_at, /Z$/)
  })

  it("shows a developer their own tokens, and nobody another team's", async () => {
    const { db } = server.database
    const { teamId } = server.owner
    const developer = await insertTestToken(db, { teamId, role: 'developer', scopes: permissions })
    const list = await server.send('/v1/tokens', { headers: { authorization: `Bearer ${developer}` } })
    assert.equal(list.json.tokens.length, 1)
    const [owners] = await db.query<{ id: string }>("select id from tokens where name = 'this machine'")
    const hidden = await server.send(`/v1/tokens/${owners?.id}`, { headers: { authorization: `Bearer ${developer}` } })
    assert.equal(hidden.status, 404)
    const stranger = await insertTestToken(db, {
      teamId: await insertTestTeam(db, 'strangers'),
      role: 'owner',
      scopes: permissions,
    })
    const authorization = `Bearer ${stranger}`
    assert.equal((await server.send('/v1/tokens', { headers: { authorization } })).json.tokens.length, 1)
    assert.equal((await server.send(`/v1/tokens/${owners?.id}`, { headers: { authorization } })).status, 404)
    const attack = await server.send(`/v1/tokens/${owners?.id}`, { method: 'DELETE', headers: { authorization } })
    assert.equal(attack.status, 404)
  })

  it('records what was changed and what was refused', async () => {
    const rows = await server.database.db.query<{ action: string; outcome: string }>(
      'select distinct action, outcome from audit_events order by 1, 2',
    )
    assert.deepEqual(rows, [
      { action: 'create_token', outcome: 'allowed' },
      { action: 'create_token', outcome: 'refused' },
      { action: 'delete_token', outcome: 'allowed' },
      { action: 'list_tokens', outcome: 'refused' },
    ])
  })
})
