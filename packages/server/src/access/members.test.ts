import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { permissions } from '@gantry/api'
import { insertTestTeam, insertTestToken } from '../../test/support/access.ts'
import { startTestServer, type TestServer } from '../../test/support/http.ts'

describe('the member endpoints', () => {
  let server: TestServer
  before(async () => {
    server = await startTestServer()
  })
  after(() => server.close())
  const as = (token: string) => ({ headers: { authorization: `Bearer ${token}` } })
  const invite = (body: object) => server.send('/v1/members', { method: 'POST', body })
  const join = async (code: string, name = 'laptop') =>
    await server.send('/v1/tokens', { method: 'POST', body: { name }, ...as(code) })
  const joined = async (name: string, role: string) => {
    const { json } = await invite({ name, role })
    return {
      id: json.id as string,
      path: `/v1/members/${json.id}`,
      token: (await join(json.invitation.code)).json.token,
    }
  }
  const setRole = (path: string, role: string, token?: string) =>
    server.send(path, {
      method: 'PATCH',
      body: { role },
      headers: { 'content-type': 'application/merge-patch+json', ...(token ? as(token).headers : {}) },
    })

  it('let a person in once, with what the role permits', async () => {
    const invited = await invite({ name: 'Mia' })
    assert.deepEqual([invited.status, invited.json.status, invited.json.role], [201, 'invited', 'developer'])
    assert.equal(invited.headers.get('cache-control'), 'no-store')
    const { code } = invited.json.invitation
    for (const path of ['/v1/members', '/v1/tokens', '/v1/audit_events'])
      assert.equal((await server.send(path, as(code))).status, 403, path)
    const made = await join(code)
    assert.equal(made.status, 201)
    assert.ok(made.json.scopes.includes('deploy:create') && !made.json.scopes.includes('member:create'))
    assert.equal((await server.send('/v1/members', as(made.json.token))).status, 200)
    assert.equal((await join(code)).status, 401)
    const shown = await server.send(`/v1/members/${invited.json.id}`)
    assert.deepEqual([shown.json.status, shown.json.invitation], ['active', undefined])
    const names = (await server.send('/v1/tokens')).json.tokens.map((token: { name: string }) => token.name)
    assert.ok(!names.includes('invitation'))
  })

  it('let only one of two in who use an invitation at the same time', async () => {
    const { code } = (await invite({ name: 'Twice', role: 'viewer' })).json.invitation
    const both = await Promise.all([join(code), join(code)])
    assert.deepEqual(both.map(({ status }) => status).sort(), [201, 401])
  })

  it('give an invited person nothing after the invitation ended, and a new one on request', async () => {
    const late = await invite({ name: 'Late', invitation: { expires_at: '2020-01-01T00:00:00.000Z' } })
    assert.deepEqual([late.status, late.json.errors[0].target.name], [400, 'invitation.expires_at'])
    const far = await invite({ name: 'Far', invitation: { expires_at: '2999-01-01T00:00:00.000Z' } })
    assert.equal(far.status, 400)
    const first = await invite({ name: 'Lost' })
    const again = await server.send(`/v1/members/${first.json.id}/invite`, { method: 'POST', body: {} })
    assert.equal(again.status, 200)
    assert.equal((await join(first.json.invitation.code)).status, 401)
    const made = await join(again.json.invitation.code)
    assert.equal(made.status, 201)
    const back = () => server.send(`/v1/members/${first.json.id}/invite`, { method: 'POST', body: {} })
    const refused = await back()
    assert.deepEqual([refused.status, refused.json.errors[0].code], [409, 'invalid_state'])
    assert.equal((await server.send(`/v1/tokens/${made.json.id}`, { method: 'DELETE' })).status, 204)
    assert.equal((await back()).status, 200)
    const taken = await invite({ name: 'lost' })
    assert.deepEqual([taken.status, taken.json.errors[0].code], [409, 'name_taken'])
  })

  it('let nobody give what they do not have, or decide about somebody above', async () => {
    const admin = await joined('Ada', 'admin')
    const developer = await joined('Dev', 'developer')
    const [owner] = (await server.send('/v1/members')).json.members.filter((m: { role: string }) => m.role === 'owner')
    assert.equal((await invite({ name: 'x' })).status, 201)
    const byAdmin = (body: object) => server.send('/v1/members', { method: 'POST', body, ...as(admin.token) })
    assert.equal((await byAdmin({ name: 'boss', role: 'owner' })).status, 403)
    assert.equal((await byAdmin({ name: 'peer', role: 'admin' })).status, 201)
    assert.equal((await setRole(`/v1/members/${owner.id}`, 'viewer', admin.token)).status, 403)
    assert.equal((await setRole(developer.path, 'owner', admin.token)).status, 403)
    assert.equal((await setRole(developer.path, 'admin', developer.token)).status, 403)
    assert.equal((await server.send(`/v1/members/${owner.id}`, { method: 'DELETE', ...as(admin.token) })).status, 403)
    const asOwner = await server.send(`/v1/members/${owner.id}/invite`, {
      method: 'POST',
      body: {},
      ...as(admin.token),
    })
    assert.equal(asOwner.status, 403)
  })

  it('keep an owner who has joined', async () => {
    const [owner] = (await server.send('/v1/members')).json.members.filter((m: { role: string }) => m.role === 'owner')
    const path = `/v1/members/${owner.id}`
    await invite({ name: 'Never came', role: 'owner' })
    for (const refused of [await setRole(path, 'admin'), await server.send(path, { method: 'DELETE' })])
      assert.deepEqual([refused.status, refused.json.errors[0].code], [409, 'last_owner'])
    const second = await joined('Second', 'owner')
    const both = await Promise.all([setRole(path, 'admin', second.token), setRole(second.path, 'admin')])
    assert.equal(both.filter(({ status }) => status === 200).length, 1, 'one of two owners stays')
    const left = (await server.send('/v1/members')).json.members.filter(
      (m: { role: string; status: string }) => m.role === 'owner' && m.status === 'active',
    )
    assert.equal(left.length, 1)
    await server.database.db.query("update members set role = 'owner' where person_id = $1", [owner.id])
  })

  it('end all tokens of somebody who is removed or lowered, at once', async () => {
    const { path, token } = await joined('Gone', 'admin')
    const own = await server.send('/v1/tokens', { method: 'POST', body: { name: 'second' }, ...as(token) })
    assert.equal((await server.send('/v1/audit_events', as(token))).status, 200)
    assert.equal((await setRole(path, 'viewer')).status, 200)
    assert.equal((await server.send('/v1/audit_events', as(token))).status, 403)
    const stale = await server.send(path, { method: 'DELETE', headers: { 'if-match': '"0000000000000000"' } })
    assert.equal(stale.status, 412)
    assert.equal((await server.send(path, { method: 'DELETE' })).status, 204)
    for (const dead of [token, own.json.token]) assert.equal((await server.send('/v1/members', as(dead))).status, 401)
    const listed = (await server.send('/v1/tokens')).json.tokens.find((t: { name: string }) => t.name === 'second')
    assert.match(listed.revoked_at, /Z$/)
    assert.equal((await server.send(path, { method: 'DELETE' })).status, 404)
    assert.equal((await invite({ name: 'Gone' })).status, 201)
  })

  it('answer alike for what is missing and what is of another team', async () => {
    const { db } = server.database
    const teamId = await insertTestTeam(db, 'members of others')
    const stranger = await insertTestToken(db, { teamId, role: 'owner', scopes: permissions })
    const { path } = await joined('Ours', 'viewer')
    const list = await server.send('/v1/members', as(stranger))
    assert.equal(list.json.members.length, 1)
    for (const method of ['GET', 'DELETE'] as const) {
      const foreign = await server.send(path, { method, ...as(stranger) })
      const missing = await server.send('/v1/members/per-1', { method, ...as(stranger) })
      const same = (text: string) => text.replace(/per-[0-9a-z]+/g, 'ID').replace(/"trace":"[^"]*"/, '')
      assert.deepEqual([foreign.status, same(foreign.text)], [404, same(missing.text)])
    }
    assert.equal((await server.send('/v1/audit_events', as(stranger))).json.audit_events.length, 0)
  })
})

describe('the audit log', () => {
  let server: TestServer
  before(async () => {
    server = await startTestServer()
  })
  after(() => server.close())

  it('says who did what from where, and what was refused, in pages', async () => {
    const viewer = await insertTestToken(server.database.db, {
      teamId: server.owner.teamId,
      role: 'viewer',
      scopes: permissions,
    })
    for (let n = 0; n < 3; n++) await server.send('/v1/members', { method: 'POST', body: { name: `p${n}` } })
    const headers = { authorization: `Bearer ${viewer}` }
    await server.send('/v1/members', { method: 'POST', body: { name: 'no' }, headers })
    assert.equal((await server.send('/v1/audit_events', { headers })).status, 403)
    const refused = await server.send('/v1/audit_events?outcome=refused&action=create_member')
    assert.equal(refused.json.audit_events.length, 1)
    const [event] = refused.json.audit_events
    assert.match(event.actor, /^viewer \(tok-/)
    assert.match(event.address, /127\.0\.0\.1|::1/)
    assert.deepEqual([event.object, event.outcome], ['/v1/members', 'refused'])
    const first = await server.send('/v1/audit_events?action=create_member&limit=3')
    assert.equal(first.json.audit_events.length, 3)
    const second = await server.send(first.json.next.href.replace(/^http:\/\/[^/]+/, ''))
    assert.equal(second.json.audit_events.length, 1)
  })

  it('cannot be changed, and loses only what is old', async () => {
    const { db } = server.database
    await assert.rejects(db.query("update audit_events set actor = 'somebody else'"), /never changed/)
    await assert.rejects(db.query('delete from audit_events'), /never changed/)
    await db.query(
      `insert into audit_events (id, team_id, created_at, actor, action, object, outcome)
       values ('aud-0', $1, now() - interval '401 days', 'x', 'old', '/', 'allowed')`,
      [server.owner.teamId],
    )
    await server.send('/v1/members', { method: 'POST', body: { name: 'another' } })
    assert.deepEqual(await db.query("select 1 from audit_events where action = 'old'"), [])
  })
})
