import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readSettings } from './settings.ts'

const DATABASE_URL = 'postgres://gantry@/gantry?host=/run'

describe('settings', () => {
  it('have defaults for everything but the database', () => {
    const settings = readSettings({ DATABASE_URL }, true)
    assert.equal(settings.home, '/var/lib/gantry')
    assert.deepEqual([settings.apiPort, settings.httpPort, settings.domain], [4400, 8080, 'localhost'])
    assert.equal(settings.maxLogBytes, 100 * 1024 * 1024)
    assert.ok(Object.isFrozen(settings))
  })

  it('are refused by name, with what is wanted', () => {
    const bad: [string, string, RegExp][] = [
      ['GANTRY_HOME', 'relative', /GANTRY_HOME is "relative", which is not an absolute path/],
      ['GANTRY_API_PORT', '70000', /GANTRY_API_PORT is "70000".*0 to 65535/],
      ['GANTRY_API_PORT', '80 ', /GANTRY_API_PORT/],
      ['GANTRY_HTTP_PORT', '-1', /GANTRY_HTTP_PORT/],
      ['GANTRY_DOMAIN', 'No Domain', /GANTRY_DOMAIN.*lower case/],
      ['GANTRY_DOMAIN', '-x.example', /GANTRY_DOMAIN/],
      ['GANTRY_LOG_LEVEL', 'loud', /GANTRY_LOG_LEVEL.*debug, info, warn, error/],
      ['GANTRY_KEEP_RELEASES', '1', /GANTRY_KEEP_RELEASES.*from 2/],
    ]
    for (const [name, value, message] of bad) {
      assert.throws(
        () => readSettings({ DATABASE_URL, [name]: value }, false),
        { code: 'setting_invalid', message },
        name,
      )
    }
  })

  it('never show a database password', () => {
    const secret = 'mysql://root:hunter2@host/db'
    assert.throws(
      () => readSettings({ DATABASE_URL: secret }, false),
      (error: Error) => /DATABASE_URL/.test(error.message) && !error.message.includes('hunter2'),
    )
  })
})
