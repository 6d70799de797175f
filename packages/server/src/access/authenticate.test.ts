import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { createTestAccess, insertTestToken, newId, type TestAccess } from '../../test/support/access.ts'
import { createTestDatabase, type TestDatabase } from '../../test/support/database.ts'
import { systemClock } from '../kernel/clock.ts'
import { silentLogger } from '../kernel/logger.ts'
import { newSecretToken } from '../kernel/secret-token.ts'
import { createAccess } from './access.ts'
import { tokenIn } from './authenticate.ts'

describe('authenticate', () => {
  let test: TestDatabase
  let given: TestAccess
  before(async () => {
    test = await createTestDatabase()
    given = await createTestAccess(test.db)
  })
  after(() => test.close())

  it('knows the owner by the machine token, as Bearer and, for git, as a Basic password', async () => {
    const principal = await given.access.authenticate({ authorization: given.bearer })
    assert.equal(principal.role, 'owner')
    assert.equal(principal.teamId, given.owner.teamId)
    const basic = `Basic ${Buffer.from(`anything:${given.token}`).toString('base64')}`
    assert.deepEqual(await given.access.authenticate({ authorization: basic }, 'bearer_or_basic'), principal)
    await assert.rejects(given.access.authenticate({ authorization: basic }), { code: 'unauthenticated' })
  })

  it('tells an address that guesses to wait, whatever the scheme, and lets the right token pass', async () => {
    const guess = (n: number, address?: string) => {
      const token = `gantry_${String(n).padStart(43, '0')}`
      const authorization = `Basic ${Buffer.from(`git:${token}`).toString('base64')}`
      return given.access.authenticate({ authorization, address }, 'bearer_or_basic')
    }
    for (let n = 0; n < 60; n++) await assert.rejects(guess(n, '192.0.2.1'), { code: 'unauthenticated' })
    await assert.rejects(guess(61, '192.0.2.1'), { code: 'rate_limited' })
    await assert.rejects(guess(62, '192.0.2.2'), { code: 'unauthenticated' })
    const right = { authorization: given.bearer, address: '192.0.2.1' }
    assert.equal((await given.access.authenticate(right)).role, 'owner')
  })

  it('says the same of every token that does not work', async () => {
    const { teamId } = given.owner
    const past = new Date(Date.now() - 1000)
    const expired = await insertTestToken(test.db, { teamId, scopes: ['app:read'], expiresAt: past })
    const revoked = await insertTestToken(test.db, { teamId, scopes: ['app:read'], revokedAt: past })
    const unknown = newSecretToken(randomBytes)
    const bad = [undefined, '', 'Bearer', `Bearer ${expired}`, `Bearer ${revoked}`, `Bearer ${unknown}`, 'Bearer a b']
    const more = [`Bearer ${given.token}x`, `Basic ${given.token}`, `Token ${given.token}`, 'Bearer \u0000']
    const messages = new Set<string>()
    for (const header of [...bad, ...more]) {
      await assert.rejects(
        given.access.authenticate({ authorization: header }, 'bearer_or_basic'),
        (error: Error & { code: string }) => {
          messages.add(`${error.code} ${error.message}`)
          return error.code === 'unauthenticated'
        },
      )
    }
    assert.equal(messages.size, 1)
  })

  it('revokes at once, also in another process within its second of memory', { timeout: 20_000 }, async () => {
    const other = createAccess({ db: test.db, clock: systemClock, newId, randomBytes, logger: silentLogger })
    const scopes = ['app:read'] as const
    const header = `Bearer ${await insertTestToken(test.db, { teamId: given.owner.teamId, scopes })}`
    const { tokenId } = await given.access.authenticate({ authorization: header })
    await other.authenticate({ authorization: header })
    const principal = await given.access.authenticate({ authorization: given.bearer })
    const revoke = given.access.routes.find((route) => route.endpoint.operationId === 'delete_token')
    const scope = { team: principal.teamId }
    await revoke?.handle({ scope, principal, params: { id: tokenId }, headers: {} } as never)
    await assert.rejects(given.access.authenticate({ authorization: header }), { code: 'unauthenticated' })
    const deadline = performance.now() + 10_000
    let isRefused = false
    while (!isRefused) {
      assert.ok(performance.now() < deadline)
      isRefused = await other.authenticate({ authorization: header }).then(
        () => false,
        () => true,
      )
    }
  })

  it('records when a token was last used', async () => {
    const deadline = Date.now() + 10_000
    for (;;) {
      const [row] = await test.db.query<{ at: Date | null }>(
        "select last_used_at as at from tokens where name = 'this machine'",
      )
      if (row?.at) break
      assert.ok(Date.now() < deadline)
      await given.access.authenticate({ authorization: given.bearer })
    }
  })

  it('lets a new machine token in and the one before it out, and never a revoked one back', async () => {
    const { access, owner, bearer } = given
    const next = newSecretToken(randomBytes)
    assert.deepEqual(await access.ensureOwner(next), owner)
    const fresh = await createTestAccess(test.db)
    await assert.rejects(fresh.access.authenticate({ authorization: bearer }), { code: 'unauthenticated' })
    await access.ensureOwner(given.token)
    await assert.rejects(fresh.access.authenticate({ authorization: bearer }), { code: 'unauthenticated' })
    const [counts] = await test.db.query('select count(*) as teams, (select count(*) from people) as people from teams')
    assert.equal(counts?.teams, 1)
  })
})

it('reads a token from the header and never from a scheme it does not know', () => {
  assert.equal(tokenIn('bearer abc', 'bearer'), 'abc')
  assert.equal(tokenIn('Basic dTpw', 'bearer_or_basic'), 'p')
  assert.equal(tokenIn('Basic dQ==', 'bearer_or_basic'), undefined)
  assert.equal(tokenIn('Digest abc', 'bearer_or_basic'), undefined)
})
