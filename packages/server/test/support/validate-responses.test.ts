import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildOpenapi, type JsonObject } from '@gantry/api'
import { createResponseValidator, type ReplySeen } from './validate-responses.ts'

const document = buildOpenapi()
const rate = { ratelimit: '"default";r=598;t=31', 'ratelimit-policy': '"default";q=600;w=60' }
const common = { 'x-request-id': '9daee671-916a-4678-850b', 'content-type': 'application/json; charset=utf-8', ...rate }

function exampleOf(schema: 'App' | 'Error'): JsonObject {
  const app = document as unknown as Record<
    string,
    Record<string, Record<string, Record<string, Record<string, unknown>>>>
  >
  const media = (path: string, method: string, status: string) => {
    const responses = app.paths?.[path]?.[method]?.responses as Record<string, Record<string, unknown>> | undefined
    const content = responses?.[status]?.content as Record<string, { examples: { primary: { value: JsonObject } } }>
    return content['application/json']?.examples.primary.value ?? {}
  }
  if (schema === 'App') return media('/v1/apps/{id}', 'get', '200')
  return {
    type: 'http://localhost:4400/docs/errors/not_found',
    title: 'There is no such thing',
    status: 404,
    trace: '9daee671-916a-4678-850b',
    errors: [{ code: 'not_found', message: 'No.', more_info: 'http://localhost:4400/docs/errors/not_found' }],
  }
}

const good = {
  method: 'GET',
  path: '/v1/apps/shop',
  status: 200,
  headers: { ...common, etag: '"9k2m4x7q1w3e5r8t"' },
  body: JSON.stringify(exampleOf('App')),
} satisfies ReplySeen

const wrong: readonly (readonly [string, ReplySeen, RegExp])[] = [
  ['an undocumented status', { ...good, status: 418 }, /status is not documented/],
  [
    'an undocumented header',
    { ...good, headers: { ...good.headers, 'x-powered-by': 'x' } },
    /x-powered-by is not documented/,
  ],
  ['a missing header', { ...good, headers: common }, /header etag is missing/],
  ['a malformed header', { ...good, headers: { ...good.headers, etag: 'W/"x"' } }, /header etag/],
  [
    'another media type',
    { ...good, headers: { ...good.headers, 'content-type': 'text/html' } },
    /media type text\/html/,
  ],
  ['an unknown field', { ...good, body: JSON.stringify({ ...exampleOf('App'), secret: 1 }) }, /secret/],
  ['a field that is null', { ...good, body: JSON.stringify({ ...exampleOf('App'), root: null }) }, /root/],
  ['a relative href', { ...good, body: JSON.stringify({ ...exampleOf('App'), href: '/v1/apps/x' }) }, /href/],
  ['a body with 304', { ...good, status: 304, body: '{}' }, /body where none/],
  ['a path that does not exist', { ...good, path: '/v1/nothing' }, /no such path/],
  ['a 405 without Allow', { ...good, method: 'PUT', status: 405, body: JSON.stringify(exampleOf('Error')) }, /allow/],
]

test('accepts a reply as documented, and remembers it', () => {
  const validator = createResponseValidator()
  assert.ok(validator.unseen().includes('get_app 200'))
  validator.check(good)
  validator.check({ ...good, status: 304, body: '' })
  validator.check({ ...good, status: 404, headers: common, body: JSON.stringify(exampleOf('Error')) })
  validator.check({
    ...good,
    path: '/v1/nothing',
    status: 404,
    headers: common,
    body: JSON.stringify(exampleOf('Error')),
  })
  assert.ok(!validator.unseen().includes('get_app 200'))
  const lines: string[] = []
  validator.printUnseen((line) => lines.push(line))
  assert.match(lines[0] ?? '', /^3 of \d+ pairs/)
})

for (const [what, reply, message] of wrong) {
  test(`refuses ${what}`, () => {
    assert.throws(() => createResponseValidator().check(reply), message)
  })
}

test('checks each event of a stream, and the line in it', () => {
  const line = { id: '00000001-0', at: '2026-08-22T09:30:00.000Z', source: 'web.1', message: 'hello' }
  const stream = (data: object) => ({
    method: 'GET',
    path: '/v1/environments/shop/log_stream?tail=1',
    status: 200,
    headers: { ...common, 'content-type': 'text/event-stream' },
    body: `: hello\n\nid: 00000001-0\nevent: log\ndata: ${JSON.stringify(data)}\n\nid: 1`,
  })
  const validator = createResponseValidator()
  validator.check(stream(line))
  assert.throws(() => validator.check(stream({ ...line, source: undefined })), /source/)
})
