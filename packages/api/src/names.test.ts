import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createApp, createEnvironment, readInput, updateEnvironment, updateEnvironmentConfig } from './index.ts'
import { isReservedConfigName, nameProblem } from './names.ts'

const specification = /^[a-z]([a-z0-9]|-(?=[a-z0-9]))*$/
const idForm = /^[a-z]{3}-[0-9a-hjkmnp-tv-z]{26}$/

const codesOf = (schema: Parameters<typeof readInput>[0], raw: unknown) => {
  const result = readInput(schema, raw, 'field')
  return result.ok ? [] : result.problems.map((problem) => `${problem.code} ${problem.target?.name ?? ''}`.trim())
}

test('a name is allowed exactly when the design says so', () => {
  const nearly = fc.string({ unit: fc.constantFrom('a', 'b', 'z', '0', '9', '-'), maxLength: 45 })
  const ids = fc
    .string({ unit: fc.constantFrom('0', '9', 'a', 'z', 'i', 'u'), minLength: 26, maxLength: 26 })
    .map((tail) => `app-${tail}`)
  fc.assert(
    fc.property(fc.oneof(nearly, ids, fc.string({ maxLength: 45 })), fc.constantFrom(39, 20), (name, max) => {
      const allowed = specification.test(name) && name.length <= max && !idForm.test(name)
      assert.equal(nameProblem(name, max) === undefined, allowed)
    }),
    { numRuns: 2000 },
  )
})

test('what is allowed never has two hyphens in a row, so a label can be only one thing', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('a', '1', '-'), maxLength: 20 }), (name) => {
      if (nameProblem(name, 20) === undefined) assert.ok(!`x${name}`.includes('--'))
    }),
  )
})

test('a malformed name has its own code; a missing one is missing', () => {
  assert.deepEqual(codesOf(createApp.body.schema, { name: 'Shop' }), ['name_invalid name'])
  assert.deepEqual(codesOf(createApp.body.schema, { name: 'a--b' }), ['name_invalid name'])
  assert.deepEqual(codesOf(createApp.body.schema, { name: 'a'.repeat(40) }), ['name_invalid name'])
  assert.deepEqual(codesOf(createApp.body.schema, {}), ['missing_field name'])
  assert.deepEqual(codesOf(createApp.body.schema, { name: 1 }), ['invalid_field name'])
  assert.deepEqual(codesOf(createApp.body.schema, { name: null }), ['invalid_field name'])
  assert.deepEqual(codesOf(createEnvironment.body.schema, { app: { id: 'shop' }, name: 'a'.repeat(21) }), [
    'name_invalid name',
  ])
})

test("config takes names of variables, and none of Gantry's own", () => {
  const codes = (name: string, value: unknown = 'x') =>
    codesOf(updateEnvironmentConfig.body.schema, { variables: { [name]: value } })
  for (const name of ['A', '_', 'log_level', 'NODE_ENV', 'PORTS', 'A'.repeat(255)])
    assert.deepEqual(codes(name), [], name)
  for (const name of ['1A', 'A-B', 'A B', 'A=B', 'Ä', 'A\n', 'A'.repeat(256)]) {
    assert.deepEqual(codes(name), [`config_name_invalid variables.${name.replace('\n', '\ufffd')}`])
  }
  assert.match(codes('')[0] ?? '', /^config_name_invalid/)
  for (const name of ['PORT', 'HOME', 'TMPDIR', 'GANTRY_APP', 'GANTRY_']) {
    assert.deepEqual(codes(name), [`config_name_reserved variables.${name}`])
    assert.ok(isReservedConfigName(name))
  }
  assert.deepEqual(codes('A', 'x'.repeat(32_768)), [])
  assert.deepEqual(codes('A', null), [])
  assert.deepEqual(codes('A', 'x'.repeat(32_769)), ['invalid_field variables.A'])
  assert.deepEqual(codes('A', 'a\u0000b'), ['invalid_field variables.A'])
  assert.deepEqual(codes('A', 1), ['invalid_field variables.A'])
})

test('config takes 500 variables at once and no more', () => {
  const variables = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`V${i}`, 'x']))
  assert.deepEqual(codesOf(updateEnvironmentConfig.body.schema, { variables: variables(500) }), [])
  assert.deepEqual(codesOf(updateEnvironmentConfig.body.schema, { variables: variables(501) }), [
    'config_too_large variables',
  ])
})

test('scale is a whole number from 0 to 100', () => {
  const codes = (web: unknown) => codesOf(updateEnvironment.body.schema, { scale: { web } })
  for (const good of [0, 1, 100, null]) assert.deepEqual(codes(good), [])
  for (const bad of [-1, 101, 1.5, '1', true]) assert.deepEqual(codes(bad), ['invalid_field scale.web'])
  assert.deepEqual(codesOf(updateEnvironment.body.schema, { scale: { 'we b': 1 } }), ['invalid_field scale.we b'])
})
