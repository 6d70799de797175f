import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { findFiles, isNeverSent } from './source-files.ts'

let root: string
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'gantry-test-'))
})
afterEach(() => rm(root, { recursive: true }))

async function found(files: Readonly<Record<string, string>>): Promise<string[]> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true })
    await writeFile(join(root, path), text)
  }
  return (await findFiles(root)).map(({ path }) => path).filter((path) => !path.includes('ignore'))
}

test('what .gitignore excludes stays here, at every level, and the innermost rule decides', async () => {
  const files = await found({
    '.gitignore': '*.log\n/build/\nsecret',
    'a.log': '',
    'build/out.js': '',
    'src/build/kept.js': '',
    'src/.gitignore': '!keep.log',
    'src/keep.log': '',
    'src/drop.log': '',
    'src/secret/x': '',
    'main.js': '',
  })
  assert.deepEqual(files, ['main.js', 'src/build/kept.js', 'src/keep.log'])
})

test('.gantryignore adds to .gitignore and may take back', async () => {
  const files = await found({
    '.gitignore': 'dist\n',
    '.gantryignore': '!dist\ntests\n',
    'dist/app.js': '',
    'tests/a.js': '',
    'b.js': '',
  })
  assert.deepEqual(files, ['b.js', 'dist/app.js'])
})

test('secrets, git and installed packages are never sent, whatever the rules say', async () => {
  const files = await found({
    '.gantryignore': '!.env\n!node_modules\n!.env.production\n',
    '.env': 'TOKEN=1',
    '.env.production': 'TOKEN=1',
    'web/.env': 'TOKEN=1',
    'node_modules/x/index.js': '',
    'web/node_modules/y/index.js': '',
    '.git/config': '',
    'index.js': '',
    environment: '',
  })
  assert.deepEqual(files, ['environment', 'index.js'])
  assert.deepEqual(['.env', '.env.local', '.envrc', 'env'].map(isNeverSent), [true, true, false, false])
})

test('a link is sent as a link and is not followed; a socket or a pipe is not sent', async () => {
  const outside = await mkdtemp(join(tmpdir(), 'gantry-test-'))
  try {
    await writeFile(join(outside, 'file'), 'not ours')
    await symlink(outside, join(root, 'elsewhere'))
    assert.deepEqual(await findFiles(root), [{ path: 'elsewhere', kind: 'link' }])
  } finally {
    await rm(outside, { recursive: true })
  }
})

test('the order does not depend on the file system', async () => {
  assert.deepEqual(await found({ b: '', 'a/z': '', 'a.b': '', ä: '' }), ['a.b', 'a/z', 'b', 'ä'])
})
