import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Permission, permissions } from '@gantry/api'
import type { AppId, PersonId, TeamId, TokenId } from '../kernel/ids.ts'
import { authorize, permittedTo } from './authorize.ts'
import { permissionTable } from './permissions.ts'
import { type Principal, roles } from './principal.ts'

const team = 'tea-1' as TeamId
const aPrincipal = (facts: Partial<Principal> = {}): Principal => ({
  tokenId: 'tok-1' as TokenId,
  personId: 'per-1' as PersonId,
  personName: 'owner',
  teamId: team,
  role: 'owner',
  scopes: permissions,
  ...facts,
})

describe('authorize', () => {
  it('permits what both role and token have, and nothing else', () => {
    for (const role of roles) {
      for (const action of permissions) {
        const full = () => authorize(aPrincipal({ role }), action)
        if (permissionTable[role].has(action)) assert.equal(full().team, team)
        else assert.throws(full, { code: 'forbidden' }, `${role} ${action}`)
        const others = permissions.filter((scope) => scope !== action)
        assert.throws(() => authorize(aPrincipal({ role, scopes: others }), action), { code: 'forbidden' })
      }
    }
  })

  it('gives every role what the one below it has', () => {
    const order = ['viewer', 'developer', 'admin', 'owner'] as const
    for (const [index, role] of order.entries()) {
      for (const lower of order.slice(0, index)) {
        for (const action of permissionTable[lower]) assert.ok(permissionTable[role].has(action))
      }
    }
    assert.ok(!permissionTable.viewer.has('config:read'))
  })

  it("says the same of another team's thing as of a missing one, whatever the token permits", () => {
    const foreign = { teamId: 'tea-2' as TeamId }
    assert.throws(() => authorize(aPrincipal(), 'app:read', foreign), { code: 'not_found' })
    assert.throws(() => authorize(aPrincipal({ scopes: [] }), 'app:read', foreign), { code: 'not_found' })
  })

  it('keeps a token for one app to that app', () => {
    const appId = 'app-1' as AppId
    const principal = aPrincipal({ appId })
    assert.equal(authorize(principal, 'deploy:create', { teamId: team, appId }).app, appId)
    assert.throws(() => authorize(principal, 'deploy:create', { teamId: team, appId: 'app-2' as AppId }), {
      code: 'not_found',
    })
    for (const wide of ['app:create', 'token:create', 'token:read', 'token:delete'] satisfies Permission[]) {
      assert.throws(() => authorize(principal, wide), { code: 'forbidden' })
      assert.ok(!permittedTo(principal).includes(wide))
    }
  })
})
