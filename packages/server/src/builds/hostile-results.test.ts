import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { createTestBuilds, type TestBuilds } from '../../test/support/builds.ts'
import { UserError } from '../kernel/errors.ts'
import { startTestSupervisor, type TestSupervisor } from '../supervisor/test-supervisor.fixture.ts'

/** What a build leaves is as hostile as what was pushed: it ends the build, at once and with a reason, or is kept. */
describe('what a build leaves', () => {
  let supervisor: TestSupervisor
  let t: TestBuilds
  before(async () => {
    supervisor = await startTestSupervisor()
    t = await createTestBuilds({ supervisor })
  })
  after(async () => {
    await t.close()
    await supervisor.close()
  })

  const run = async (script: string) => {
    const json = { scripts: { build: 'node build.js', start: 'node server.js' } }
    const request = await t.request({ 'package.json': JSON.stringify(json), 'build.js': script })
    return await t.builds.run(request, new AbortController().signal)
  }

  const cases: readonly (readonly [string, string, RegExp])[] = [
    ['a pipe', `require('child_process').execFileSync('mkfifo', ['sub-pipe'])`, /: sub-pipe is neither file/],
    [
      'folders without end',
      `for (let i = 0; i < 300; i++) { require('fs').mkdirSync('d'); process.chdir('d') }`,
      /: (?:d\/)+…?(?:d|\/)*d is more than 200 folders deep/,
    ],
    [
      'a path that nobody can open',
      `for (let i = 0; i < 40; i++) { require('fs').mkdirSync('n'.repeat(200)); process.chdir('n'.repeat(200)) }`,
      /n…[n/]*n is too long for a path/,
    ],
  ]
  for (const [what, script, message] of cases) {
    it(`fails the build, and is not tried again: ${what}`, async () => {
      await assert.rejects(run(script), (error) => {
        assert.ok(error instanceof UserError, String(error))
        assert.equal(error.code, 'build_failed')
        assert.match(error.message, message)
        assert.ok(error.message.length < 1000)
        return true
      })
    })
  }

  it('is kept with names that are not UTF-8', async () => {
    const name = `Buffer.from([0x63, 0xe9])`
    const { artifactId } = await run(
      `require('fs').mkdirSync(${name});require('fs').writeFileSync(Buffer.concat([${name}, Buffer.from('/x')]), '1')`,
    )
    assert.ok(await t.builds.artifact(t.test.db, t.scope, artifactId))
  })
})
