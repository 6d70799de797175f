import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { runArgv, spawnArgv } from '../../kernel/spawn-argv.ts'
import { isBranchName, isOid, isRefName } from './ref-name.ts'

const gitAccepts = async (name: string): Promise<boolean> => {
  const { exitCode } = await runArgv(spawnArgv, 'git', ['check-ref-format', name], {
    env: { PATH: process.env.PATH ?? '' },
  })
  return exitCode === 0
}

describe('ref names', () => {
  it('are never taken when git would not take them', async () => {
    const unit = fc.constantFrom(...'ab/.-~^:?*[\\ @{}\x01\x7f', '..', '.lock', 'ü', '//')
    const names = fc.string({ unit, maxLength: 12 }).map((text) => `refs/heads/${text}`)
    await fc.assert(
      fc.asyncProperty(names, async (name) => {
        if (isRefName(name)) assert.ok(await gitAccepts(name), name)
      }),
      { numRuns: 150 },
    )
  })

  it('are taken when they are what people use', async () => {
    for (const name of [
      'main',
      'feature/x-1',
      'ü/日本',
      'a;b',
      'a$(id)',
      'a|b',
      "a'b",
      'v1.0.0',
      'user@host',
      'dependabot/npm_and_yarn/a-1.2',
    ]) {
      assert.ok(isRefName(`refs/heads/${name}`), name)
      assert.ok(isBranchName(name), name)
      assert.ok(await gitAccepts(`refs/heads/${name}`), name)
    }
  })

  it('cannot be taken for options, for HEAD or for what lies elsewhere', () => {
    for (const name of [
      '-x',
      '--help',
      'a/-x',
      'HEAD',
      '@',
      '',
      '/',
      'a/',
      '/a',
      '../a',
      'a/../b',
      'a.lock',
      'a\n',
      'a\0b',
      'x'.repeat(300),
    ]) {
      assert.equal(isBranchName(name), false, JSON.stringify(name))
    }
    for (const name of ['main', 'HEAD', 'refs', 'refs/', 'refs/heads', 'objects/heads/x', '../refs/heads/x']) {
      assert.equal(isRefName(name), false, name)
    }
  })

  it('differ from object ids', () => {
    assert.ok(isOid('0123456789abcdef0123456789abcdef01234567'))
    for (const text of ['', 'a'.repeat(39), 'a'.repeat(41), 'A'.repeat(40), `${'a'.repeat(39)}\n`, '-'.repeat(40)]) {
      assert.equal(isOid(text), false)
    }
  })
})
