import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { it } from 'node:test'
import { systemClock } from '../kernel/clock.ts'
import { spawnArgv } from '../kernel/spawn-argv.ts'
import { createPublishedVersions } from './index.ts'

it('asks the registry once a day, and serves the last answer when it does not reply', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'gantry-test-versions-'))
  const npm = createRequire(import.meta.url).resolve('npm/package.json')
  let ms = 0
  let asked = 0
  let isReachable = true
  const ca = process.env.NODE_EXTRA_CA_CERTS
  const versions = createPublishedVersions({
    spawn: (file, args, options) => {
      asked++
      return spawnArgv(file, isReachable ? args : ['--version-of-nothing'], options)
    },
    clock: { ...systemClock, monotonicMs: () => ms },
    node: {
      version: process.versions.node,
      npmVersion: '11.0.0',
      binFolder: dirname(process.execPath),
      npmBinFolder: join(dirname(npm), 'bin'),
    },
    machine: { env: ca ? { NODE_EXTRA_CA_CERTS: ca } : {}, npmrc: '' },
    folder,
  })
  try {
    assert.ok((await versions('is-number')).includes('7.0.0'))
    await versions('is-number')
    assert.equal(asked, 1)
    ms += 25 * 60 * 60_000
    isReachable = false
    assert.ok((await versions('is-number')).includes('7.0.0'))
    assert.equal(asked, 2)
    await assert.rejects(versions('is-odd'), { code: 'toolchain_unavailable' })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})
