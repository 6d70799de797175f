import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { checkAppName, checkBranch, checkEnvironmentName, normalizeRoot } from './app.ts'
import { patchScale } from './change-environment.ts'
import { areSame, patchVariables } from './config.ts'
import { effectiveScale, environmentLabel, environmentStatus, environmentUrl, parseLabel } from './environment.ts'

describe('the names of apps and environments', () => {
  it('have letters, digits and single hyphens', () => {
    for (const name of ['a', 'shop', 'shop-2', 'a'.repeat(39)]) checkAppName(name)
    for (const name of ['', 'Shop', '2shop', 'shop-', '-shop', 'a--b', 'sh_op', 'a'.repeat(40), 'é']) {
      assert.throws(() => checkAppName(name), { code: 'name_invalid', target: { type: 'field', name: 'name' } }, name)
    }
    assert.throws(() => checkEnvironmentName('a'.repeat(21)), { code: 'name_invalid' })
  })

  it('make labels that can be only one thing', () => {
    for (const [app, environment] of [
      ['shop', 'production'],
      ['shop', 'staging'],
      ['pr-42', 'shop-2'],
    ] as const) {
      const label = environmentLabel(app, environment)
      assert.deepEqual(parseLabel(label), { appName: app, environmentName: environment })
    }
    assert.equal(environmentLabel('shop', 'production'), 'shop')
    assert.equal(environmentLabel('shop', 'staging'), 'staging--shop')
    assert.equal(environmentUrl('shop', { domain: 'localhost', httpPort: 8080 }), 'http://shop.localhost:8080')
    assert.equal(environmentUrl('shop', { domain: 'example.com', httpPort: 80 }), 'http://shop.example.com')
  })
})

describe('an app', () => {
  it('keeps its root without slashes at the ends, inside the tree', () => {
    assert.equal(normalizeRoot('/services/api/'), 'services/api')
    assert.equal(normalizeRoot('./web'), 'web')
    assert.equal(normalizeRoot('.'), '')
    assert.equal(normalizeRoot('/'), '')
    for (const root of ['..', 'a/../b', 'a//b', 'a/./b', '.git/hooks', 'a/.GIT', 'a\u0000b', 'a\nb']) {
      assert.throws(() => normalizeRoot(root), { code: 'invalid_field' }, root)
    }
  })

  it('deploys from a branch that git accepts', () => {
    for (const branch of ['main', 'release/next', 'feature/#12', 'ä']) checkBranch(branch)
    for (const branch of [
      '',
      '-x',
      'a..b',
      'a b',
      'a~1',
      'a^',
      'a:b',
      'a.lock',
      'a/.b',
      '/a',
      'a/',
      'a//b',
      '@',
      'a@{1}',
    ]) {
      assert.throws(() => checkBranch(branch), { code: 'invalid_field' }, branch)
    }
  })
})

describe('config', () => {
  it('is patched: values set, null removes', () => {
    const after = patchVariables({ A: '1', B: '2' }, { A: null, B: '3', C: '', D: null })
    assert.deepEqual(after, { B: '3', C: '' })
    assert.ok(areSame({ A: '1' }, patchVariables({ A: '1' }, { A: '1', B: null })))
    assert.ok(!areSame({ A: '1' }, { B: '1' }))
  })

  it('has names that a shell can use and Gantry does not need', () => {
    for (const name of ['1A', 'A-B', '', 'A=B', 'a b', '__proto__ ']) {
      assert.throws(() => patchVariables({}, { [name]: 'x' }), { code: 'config_name_invalid' }, name)
    }
    for (const name of ['PORT', 'HOME', 'TMPDIR', 'GANTRY_APP']) {
      assert.throws(() => patchVariables({}, { [name]: 'x' }), { code: 'config_name_reserved' }, name)
    }
    assert.deepEqual(Object.entries(patchVariables({}, { constructor: 'x' })), [['constructor', 'x']])
  })

  it('fits into what a process can be started with', () => {
    const many = Object.fromEntries(Array.from({ length: 501 }, (_, i) => [`V${i}`, 'x']))
    assert.throws(() => patchVariables({}, many), { code: 'config_too_large' })
    const large = Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`V${i}`, 'x'.repeat(32_000)]))
    assert.throws(() => patchVariables({}, large), { code: 'config_too_large' })
    assert.throws(() => patchVariables({}, { A: 'a\u0000b' }), { code: 'invalid_field' })
  })
})

describe('scale', () => {
  it('is patched by process types that the release has', () => {
    assert.deepEqual(patchScale({ web: 2, worker: 1 }, { worker: 3, web: null }, ['web', 'worker']), { worker: 3 })
    assert.throws(() => patchScale({}, { wrker: 1 }, ['web', 'worker']), {
      code: 'process_type_unknown',
      message: /web, worker/,
    })
    assert.throws(() => patchScale({}, { release: 1 }, ['web', 'release']), { code: 'process_type_unknown' })
    assert.throws(() => patchScale({}, { web: 101 }, undefined), { code: 'invalid_field' })
    assert.deepEqual(patchScale({}, { anything: 1 }, undefined), { anything: 1 })
  })

  it('has defaults: one web, none of the others', () => {
    assert.deepEqual(effectiveScale({ worker: 2 }, ['web', 'worker', 'clock', 'release']), {
      web: 1,
      worker: 2,
      clock: 0,
    })
    assert.deepEqual(effectiveScale({}, undefined), { web: 1 })
    assert.deepEqual(effectiveScale({}, ['constructor']), { constructor: 0 })
  })
})

describe('the status of an environment', () => {
  const running = { hasRelease: true, isDeploying: false, scale: { web: 2, worker: 0 }, inService: { web: 2 } }

  it('takes a process type for what it is called, not for what every object has', () => {
    const odd = ['web', 'constructor', 'toString', 'valueOf']
    assert.deepEqual(effectiveScale({}, odd), { web: 1, constructor: 0, toString: 0, valueOf: 0 })
    assert.deepEqual(effectiveScale({ constructor: 2 }, ['constructor']), { constructor: 2 })
  })

  it('says what it does', () => {
    assert.equal(environmentStatus(running), 'running')
    assert.equal(environmentStatus({ ...running, inService: { web: 1 } }), 'degraded')
    assert.equal(environmentStatus({ ...running, scale: { web: 0 } }), 'stopped')
    assert.equal(environmentStatus({ ...running, hasRelease: false }), 'empty')
    assert.equal(environmentStatus({ ...running, isDeploying: true }), 'deploying')
  })
})
