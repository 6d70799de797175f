import assert from 'node:assert/strict'
import { test } from 'node:test'
import { endpoints, errorCatalogue, errorCodes, errorsOf, errorUrl, isErrorCode } from './index.ts'

for (const code of errorCodes) {
  test(`${code} says what to do`, () => {
    const { title, description, status, places } = errorCatalogue[code]
    assert.match(code, /^[a-z][a-z0-9_]*$/)
    assert.match(title, /^[A-Z`].*[^.]$/)
    assert.ok(title.length <= 80)
    assert.match(description, /\.$/)
    assert.ok(description.length >= 20)
    assert.ok(status >= 400 && status < 600 && (status as number) !== 422)
    assert.ok(places.length > 0)
    assert.equal(errorUrl('http://localhost:4400', code), `http://localhost:4400/docs/errors/${code}`)
  })
}

test('a code that replies of the API carry can be answered by an operation, or by every path', () => {
  const answered = new Set(endpoints.flatMap(errorsOf))
  const silent = errorCodes.filter((code) => errorCatalogue[code].places.includes('api') && !answered.has(code))
  assert.deepEqual(silent, notFromOperations)
})

/** Those that the document cannot tie to an operation: a method that is none, and what a push shares with an upload. */
const notFromOperations = [
  'method_not_allowed',
  'root_not_found',
  'ref_rejected',
  'ref_name_invalid',
  'ref_deletion_rejected',
  'push_conflict',
  'push_in_progress',
  'deploy_failed',
  'push_too_large',
  'object_rejected',
  'submodule_unsupported',
  'lfs_unsupported',
]

test('nothing inherited is an error code', () => {
  assert.ok(isErrorCode('not_found'))
  assert.ok(!isErrorCode('toString'))
  assert.ok(!isErrorCode('__proto__'))
})
