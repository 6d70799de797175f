import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { silentLogger } from '../../kernel/logger.ts'
import { spawnArgv } from '../../kernel/spawn-argv.ts'
import { Refusal } from '../protocol.ts'
import { appUid, eventually, isRoot } from '../test-supervisor.fixture.ts'
import { createFiles, type Files } from './files.ts'
import { splitPath } from './safe-path.ts'

const asRoot = { skip: isRoot ? false : 'NOT ROOT: ownership is not tested' }
const controlPlane = isRoot ? { uid: 199_999, gid: 199_999 } : undefined

describe('the file verbs', () => {
  let home: string
  let outside: string
  let files: Files
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'gantry-test-files-'))
    outside = mkdtempSync(join(tmpdir(), 'gantry-test-outside-'))
    chmodSync(home, 0o711)
    for (const folder of ['builds', 'artifacts', 'layers', 'toolchains', 'run/instances', 'keys'])
      mkdirSync(join(home, folder), { recursive: true })
    writeFileSync(join(outside, 'precious'), 'precious', { mode: 0o644 })
    files = createFiles({ home, controlPlane, lowestUid: 200_000, start: spawnArgv, log: silentLogger })
  })
  afterEach(async () => {
    await eventually('the trash is empty', () => readdirSync(join(home, 'state/trash')).length === 0)
    for (const folder of [home, outside]) rmSync(folder, { recursive: true })
  })

  const build = (): string => {
    const folder = join(home, 'builds/bld-1')
    mkdirSync(join(folder, 'sub'), { recursive: true })
    writeFileSync(join(folder, 'sub/file'), 'x', { mode: 0o4755 })
    writeFileSync(join(folder, 'plain'), 'y')
    symlinkSync(outside, join(folder, 'to-folder'))
    symlinkSync(join(outside, 'precious'), join(folder, 'sub/to-file'))
    symlinkSync('/nonexistent', join(folder, 'broken'))
    return folder
  }
  const untouched = (): void => {
    const stats = statSync(join(outside, 'precious'))
    assert.equal(stats.mode & 0o7777, 0o644)
    assert.equal(stats.uid, process.getuid?.())
    assert.equal(statSync(outside).uid, process.getuid?.())
    assert.equal(readFileSync(join(outside, 'precious'), 'utf8'), 'precious')
  }

  test('give and seal change what is in the tree and nothing that its links lead to', async () => {
    const folder = build()
    await files.give(folder, { uid: appUid, gid: appUid })
    assert.equal(lstatSync(folder).uid, appUid)
    assert.equal(lstatSync(folder).mode & 0o777, 0o700)
    assert.equal(lstatSync(join(folder, 'sub/file')).uid, appUid)
    assert.equal(lstatSync(join(folder, 'sub/file')).mode & 0o7777, 0o755, 'no set-uid')
    assert.equal(lstatSync(join(folder, 'to-folder')).uid, appUid)
    untouched()
    await files.seal(folder, appUid)
    assert.equal(lstatSync(folder).mode & 0o7777, 0o750)
    assert.equal(lstatSync(join(folder, 'sub/file')).mode & 0o7777, 0o550)
    assert.equal(lstatSync(join(folder, 'plain')).mode & 0o7777, 0o440)
    if (controlPlane) {
      assert.equal(lstatSync(join(folder, 'plain')).uid, controlPlane.uid)
      assert.equal(lstatSync(join(folder, 'plain')).gid, appUid)
    }
    untouched()
  })

  test('remove takes the tree and nothing that its links lead to, also without write bits', async () => {
    const folder = build()
    chmodSync(join(folder, 'sub'), 0o500)
    await files.remove(folder)
    assert.equal(existsSync(folder), false)
    untouched()
    await files.remove(folder)
    symlinkSync(outside, join(home, 'builds/link'))
    await files.remove(join(home, 'builds/link'))
    assert.equal(lstatSync(join(home, 'builds/link'), { throwIfNoEntry: false }), undefined)
    untouched()
  })

  test('a path elsewhere, or through a link, is refused', async () => {
    build()
    const bad = [
      '/etc/passwd',
      outside,
      'builds',
      join(home, 'builds'),
      join(home, 'keys/master.key'),
      `${home}/builds/../keys`,
      `${home}/builds/./bld-1`,
      `${home}/builds/bld-1/to-folder/precious`,
      `${home}/builds/bld-1/plain/x`,
      `${home}x/builds/a`,
    ]
    for (const path of bad) {
      for (const act of [
        files.remove(path),
        files.seal(path, 200_001),
        files.give(path, { uid: 200_001, gid: 200_001 }),
      ]) {
        await assert.rejects(act, (error) => error instanceof Refusal && error.refusal === 'SpecRejected', path)
      }
    }
    for (const path of [
      join(home, 'builds/bld-1/to-folder'),
      join(home, 'builds/bld-1/plain'),
      join(home, 'builds/missing'),
    ]) {
      await assert.rejects(files.seal(path, 200_001), Refusal, path)
      await assert.rejects(files.give(path, { uid: 200_001, gid: 200_001 }), Refusal, path)
    }
    await assert.rejects(files.give(join(home, 'run/instances/x'), { uid: 200_001, gid: 200_001 }), Refusal)
    untouched()
  })

  test('what is neither file, folder nor link is refused', async () => {
    const folder = join(home, 'builds/bld-2')
    mkdirSync(folder)
    await once(spawn('mkfifo', [join(folder, 'pipe')]), 'exit')
    await assert.rejects(files.seal(folder, 200_001), /pipe is neither/)
  })

  test('names need not be UTF-8', async () => {
    const folder = join(home, 'builds/bld-2')
    const name = Buffer.concat([Buffer.from(`${folder}/caf`), Buffer.from([0xe9])])
    mkdirSync(name, { recursive: true })
    writeFileSync(Buffer.concat([name, Buffer.from([0x2f, 0xff])]), 'x')
    await files.give(folder, { uid: appUid, gid: appUid })
    await files.seal(folder, appUid)
    assert.equal(lstatSync(Buffer.concat([name, Buffer.from([0x2f, 0xff])])).mode & 0o777, 0o440)
  })

  test('what nobody could open by its path is refused', async () => {
    const folder = join(home, 'builds/bld-2')
    mkdirSync(folder)
    let at = folder
    for (let i = 0; i < 201; i++) {
      at = join(at, 'd')
      mkdirSync(at)
    }
    await assert.rejects(files.seal(folder, appUid), /more than 200 folders deep/)
    const long = 'n'.repeat(250)
    const make = `for (let i = 0; i < 14; i++) { require('fs').mkdirSync('${long}'); process.chdir('${long}') }`
    const second = join(home, 'builds/bld-3')
    mkdirSync(second)
    await once(spawn(process.execPath, ['-e', make], { cwd: second }), 'exit')
    await assert.rejects(files.give(second, { uid: appUid, gid: appUid }), /too long for a path/)
    for (const path of [folder, second]) await files.remove(path)
  })

  test('a file that got in by a hard link stays whose it is', asRoot, async () => {
    const folder = build()
    await files.give(folder, { uid: appUid, gid: appUid })
    linkSync(join(outside, 'precious'), join(folder, 'sub/linked'))
    await assert.rejects(files.seal(folder, appUid), /linked belongs to somebody else/)
    untouched()
  })

  test('nothing is given to root or to the platform', asRoot, async () => {
    const folder = build()
    for (const uid of [0, 1000, 199_999]) {
      await assert.rejects(files.give(folder, { uid, gid: appUid }), /200000 or higher/)
      await assert.rejects(files.give(folder, { uid: appUid, gid: uid }), /200000 or higher/)
      await assert.rejects(files.seal(folder, uid), /200000 or higher/)
    }
  })

  test('a tree is not sealed while its build still works in it', asRoot, async () => {
    const folder = build()
    await files.give(folder, { uid: appUid, gid: appUid })
    const child = spawn('sleep', ['600'], { cwd: folder, uid: appUid, gid: appUid, stdio: 'ignore' })
    const ended = once(child, 'exit')
    await once(child, 'spawn')
    await assert.rejects(
      files.seal(folder, appUid),
      (error) => error instanceof Refusal && error.refusal === 'NotEnded',
    )
    child.kill('SIGKILL')
    await ended
    await files.seal(folder, appUid)
  })

  test('somebody who swaps folders for links meanwhile leads nobody out', asRoot, async () => {
    const folder = join(home, 'builds/bld-3')
    for (let i = 0; i < 40; i++) {
      mkdirSync(join(folder, `d${i}`), { recursive: true })
      for (let n = 0; n < 20; n++) writeFileSync(join(folder, `d${i}/precious${n}`), '')
      writeFileSync(join(folder, `d${i}/precious`), '')
    }
    await files.give(folder, { uid: appUid, gid: appUid })
    chmodSync(outside, 0o755)
    const swap = `const fs = require('fs'); for (;;) for (let i = 0; i < 40; i++) try { fs.renameSync('d'+i, 'x'+i); fs.symlinkSync('${outside}', 'd'+i); fs.unlinkSync('d'+i); fs.renameSync('x'+i, 'd'+i) } catch {}`
    const child = spawn(process.execPath, ['-e', swap], { cwd: folder, uid: appUid, gid: appUid, stdio: 'ignore' })
    const ended = once(child, 'exit')
    await once(child, 'spawn')
    try {
      for (let round = 0; round < 60; round++) {
        await files.give(folder, { uid: appUid, gid: appUid }).catch((error) => assert.ok(error instanceof Error))
        untouched()
      }
      await files.remove(folder)
    } finally {
      child.kill('SIGKILL')
      await ended
    }
    untouched()
  })
})

test('a path is taken apart without looking at the disk', () => {
  assert.deepEqual(splitPath('/h', ['artifacts'], '/h/artifacts/a/b'), { root: 'artifacts', names: ['a', 'b'] })
  for (const path of [
    '/h/artifacts',
    '/h/artifacts/',
    '/h/artifactsx/a',
    'artifacts/a',
    '/h/artifacts/a\0b',
    '/h/artifacts/..',
  ]) {
    assert.throws(() => splitPath('/h', ['artifacts'], path), Refusal, JSON.stringify(path))
  }
})
