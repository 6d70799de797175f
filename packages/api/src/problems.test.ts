import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  createDeploy,
  createSource,
  createToken,
  endpoints,
  errorContainerSchema,
  listApps,
  listEnvironmentLogs,
  readInput,
  toErrorContainer,
} from './index.ts'

const problemsOf = (schema: Parameters<typeof readInput>[0], raw: unknown, place: 'field' | 'parameter') => {
  const result = readInput(schema, raw, place)
  return result.ok ? [] : result.problems.map(({ code, target }) => `${code} ${target?.name ?? ''}`.trim())
}

test('a query is read from text, with defaults', () => {
  assert.deepEqual(readInput(listApps.query, {}, 'parameter'), { ok: true, value: { limit: 50 } })
  assert.deepEqual(readInput(listApps.query, { limit: '100', start: 'abc' }, 'parameter'), {
    ok: true,
    value: { limit: 100, start: 'abc' },
  })
  for (const limit of ['0', '101', '', '1e1', '0x10', ' 5', '-1', '1.0', '05', ['1', '2']]) {
    assert.deepEqual(problemsOf(listApps.query, { limit }, 'parameter'), ['invalid_parameter limit'], String(limit))
  }
  assert.deepEqual(problemsOf(listApps.query, { page: '2' }, 'parameter'), ['unknown_parameter page'])
  assert.deepEqual(problemsOf(createSource.query, {}, 'parameter'), ['missing_parameter app_id'])
  assert.deepEqual(
    problemsOf(listEnvironmentLogs.query, { since: '2026-08-22T09:30:00Z', tail: '10' }, 'parameter'),
    [],
  )
  assert.deepEqual(problemsOf(listEnvironmentLogs.query, { since: 'yesterday' }, 'parameter'), [
    'invalid_parameter since',
  ])
})

test('a body that is no object, or has unknown fields, is refused', () => {
  for (const raw of [undefined, null, [], 'x', 1]) {
    assert.deepEqual(problemsOf(createToken.body.schema, raw, 'field'), ['invalid_field'])
  }
  const raw = { name: 'ci', scopes: ['app:read', 'app:fly'], app: { id: 'shop', name: 'shop' }, colour: 'red' }
  assert.deepEqual(problemsOf(createToken.body.schema, raw, 'field').sort(), [
    'invalid_field scopes.1',
    'unknown_field app.name',
    'unknown_field colour',
  ])
})

test('a deploy has the fields of its kind', () => {
  const codes = (raw: object) => problemsOf(createDeploy.body.schema, { environment: { id: 'shop' }, ...raw }, 'field')
  const commit_sha = 'a'.repeat(40)
  assert.deepEqual(codes({ kind: 'rollback' }), [])
  assert.deepEqual(codes({ kind: 'rollback', rollback_to: { id: 'v4' }, keep_config: true }), [])
  assert.deepEqual(codes({ kind: 'commit', commit_sha }), [])
  assert.deepEqual(codes({ kind: 'upload', source: { id: 'src-1' } }), [])
  assert.deepEqual(codes({ kind: 'commit' }), ['missing_field commit_sha'])
  assert.deepEqual(codes({ kind: 'upload' }), ['missing_field source'])
  assert.deepEqual(codes({ kind: 'rollback', commit_sha }), ['invalid_field commit_sha'])
  assert.deepEqual(codes({ kind: 'push' }), ['invalid_field kind'])
})

test('reading never throws, and what it says fits into an error body', () => {
  const schemas = endpoints.flatMap(({ body, query }) => [
    ...(body && 'schema' in body ? [body.schema] : []),
    ...(query ? [query] : []),
  ])
  const names = ['name', 'variables', 'scale', 'app', 'limit', '__proto__', 'constructor']
  const raw = fc.oneof(fc.jsonValue(), fc.dictionary(fc.oneof(fc.constantFrom(...names), fc.string()), fc.jsonValue()))
  fc.assert(
    fc.property(fc.constantFrom(...schemas), raw, (schema, value) => {
      const result = readInput(schema, value, 'field')
      if (result.ok) return
      const container = toErrorContainer('http://localhost:4400', '0123456789', result.problems)
      assert.deepEqual(errorContainerSchema.safeParse(container).error?.issues ?? [], [])
    }),
    { numRuns: 1000 },
  )
})

test('an error body has the status and the page of its first problem', () => {
  const problems = [
    { code: 'name_taken', message: 'An app with the name `shop` exists.', target: { type: 'field', name: 'name' } },
    { code: 'invalid_field', message: 'Another.' },
  ] as const
  const container = toErrorContainer('https://gantry.example.com', '0123456789', problems)
  assert.equal(container.status, 409)
  assert.equal(container.type, 'https://gantry.example.com/docs/errors/name_taken')
  assert.equal(container.title, 'The name is taken')
  assert.deepEqual(container.errors[1], {
    code: 'invalid_field',
    message: 'Another.',
    more_info: 'https://gantry.example.com/docs/errors/invalid_field',
  })
})
