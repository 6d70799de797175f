import assert from 'node:assert/strict'
import { it } from 'node:test'
import { checkIfMatch, entityTag, namesEntityTag, withEntityTag } from './entity-tag.ts'

it('tags content, whatever host name the caller used', () => {
  const app = { id: 'app-1', href: 'http://localhost:4400/v1/apps/app-1', name: 'shop', nested: { href: 'a', n: 1 } }
  const etag = entityTag(app)
  assert.match(etag, /^"[0-9a-z]{25}"$/)
  assert.equal(entityTag({ ...app, href: 'https://gantry.example.com/v1/apps/app-1' }), etag)
  assert.equal(entityTag(withEntityTag(app)), etag)
  assert.notEqual(entityTag({ ...app, name: 'shop2' }), etag)
  assert.notEqual(entityTag({ ...app, nested: { href: 'a', n: 2 } }), etag)
})

it('compares strongly', () => {
  assert.ok(namesEntityTag('"a", "b"', '"b"'))
  assert.ok(namesEntityTag('*', '"b"'))
  assert.ok(!namesEntityTag('W/"b"', '"b"'))
  checkIfMatch(undefined, '"b"')
  assert.throws(() => checkIfMatch('"a"', '"b"'), { code: 'etag_mismatch' })
})
