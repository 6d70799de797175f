import assert from 'node:assert/strict'
import { it } from 'node:test'
import { etagOf, matchesEtag, requireMatch, withEtag } from './etag.ts'

it('tags content, whatever host name the caller used', () => {
  const app = { id: 'app-1', href: 'http://localhost:4400/v1/apps/app-1', name: 'shop', nested: { href: 'a', n: 1 } }
  const etag = etagOf(app)
  assert.match(etag, /^"[0-9a-z]{25}"$/)
  assert.equal(etagOf({ ...app, href: 'https://gantry.example.com/v1/apps/app-1' }), etag)
  assert.equal(etagOf(withEtag(app)), etag)
  assert.notEqual(etagOf({ ...app, name: 'shop2' }), etag)
  assert.notEqual(etagOf({ ...app, nested: { href: 'a', n: 2 } }), etag)
})

it('compares strongly', () => {
  assert.ok(matchesEtag('"a", "b"', '"b"'))
  assert.ok(matchesEtag('*', '"b"'))
  assert.ok(!matchesEtag('W/"b"', '"b"'))
  requireMatch(undefined, '"b"')
  assert.throws(() => requireMatch('"a"', '"b"'), { code: 'etag_mismatch' })
})
