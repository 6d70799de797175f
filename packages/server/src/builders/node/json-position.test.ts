import assert from 'node:assert/strict'
import { it } from 'node:test'
import fc from 'fast-check'
import { findJsonFault } from './json-position.ts'

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

it('finds no fault in JSON, however it is laid out', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom('', ' ', '\t', '  '), (value, indent) => {
      assert.equal(findJsonFault(JSON.stringify(value, null, indent)), undefined)
    }),
  )
})

it('finds a fault exactly where JSON.parse does: in text that has been damaged', () => {
  const damage = fc.record({ at: fc.nat(), drop: fc.nat(3), add: fc.string({ maxLength: 3 }) })
  fc.assert(
    fc.property(fc.jsonValue(), damage, (value, { at, drop, add }) => {
      const whole = JSON.stringify(value, null, 1)
      const place = at % (whole.length + 1)
      const text = whole.slice(0, place) + add + whole.slice(place + drop)
      assert.equal(findJsonFault(text) === undefined, isJson(text), text)
    }),
    { numRuns: 2000 },
  )
})

it('finds no fault before the first character that differs from JSON', () => {
  assert.deepEqual(findJsonFault('{\r\n "a": tru\n}'), { line: 2, column: 7, message: 'expected a value, found "t"' })
  assert.deepEqual(findJsonFault('{"a" 1}'), { line: 1, column: 6, message: 'expected ":", found "1"' })
  assert.deepEqual(findJsonFault('[1, 2'), { line: 1, column: 6, message: 'expected "," or "]", the file ends' })
  assert.match(findJsonFault('['.repeat(300))?.message ?? '', /less nesting/)
})
