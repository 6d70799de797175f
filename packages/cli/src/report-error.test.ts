import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ApiError, errorCatalogue, PathParameterError, UnreachableError } from '@gantry/api'
import { recordTerminal } from '../test/support/run-command.ts'
import { CommandError, exitCodeOf, exitCodes } from './exit-codes.ts'
import { reportError } from './report-error.ts'

const api = (status: number, code = 'not_found') =>
  new ApiError({ status, errors: [{ code, message: 'It is so.' } as never], message: 'It is so.', requestId: 'req-1' })

/** Errors, exit codes, and what standard error has. */
const told: readonly [error: unknown, exitCode: number, said: RegExp][] = [
  [new CommandError(exitCodes.usage, 'No.', 'Try this.'), 2, /^Error: No\.\nTry this\.\n$/],
  [api(400), 2, /^Error: It is so\. \[not_found\]\n$/],
  [api(401), 3, /It is so\. \[not_found\]\n.*gantry login/],
  [api(403), 3, /It is so/],
  [api(404), 4, /It is so/],
  [api(409), 5, /It is so/],
  [api(412), 5, /It is so/],
  [api(413), 2, /It is so/],
  [api(429), 1, /It is so/],
  [api(500), 1, /Request req-1/],
  [api(503), 6, /It is so/],
  [new UnreachableError('http://localhost:4400', new Error('refused')), 6, /No answer .*refused\n.*gantry up/s],
  [new PathParameterError('get_app', 'id', '..'), 2, /^Error: get_app: `id` must be an id or a name, not ".."\.\n$/],
  [new TypeError('x is undefined'), 1, /TypeError: x is undefined.*fault of gantry/s],
  ['thrown text', 1, /thrown text/],
]

for (const [error, exitCode, said] of told) {
  test(`${error instanceof ApiError ? `HTTP ${error.status}` : error} ends with ${exitCode}`, () => {
    const { terminal, stderr, stdout } = recordTerminal()
    assert.equal(reportError(terminal, error, false), exitCode)
    assert.match(stderr(), said)
    assert.equal(stdout(), '')
  })
}

test('as JSON there is the code of the catalogue, on standard error', () => {
  const { terminal, stderr } = recordTerminal()
  reportError(terminal, api(409, 'name_taken'), true)
  assert.deepEqual(JSON.parse(stderr()), { error: { code: 'name_taken', message: 'It is so.' } })
})

test('every status that the API can answer has an exit code that says more than nothing', () => {
  for (const { status } of Object.values(errorCatalogue)) assert.notEqual(exitCodeOf(status), exitCodes.ok)
})

test('a message from elsewhere cannot write on the terminal', () => {
  const { terminal, stderr } = recordTerminal({ isTTY: true })
  reportError(terminal, new CommandError(exitCodes.failed, 'a\u001b[2Jb'), false)
  assert.ok(stderr().includes('a\\u001b[2Jb'))
})
