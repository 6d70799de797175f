import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { endpoints, errorCodes } from '@gantry/api'
import { generatedPages } from './generate-docs.ts'

for (const [path, text] of Object.entries(generatedPages())) {
  test(`${path} is current`, async () => {
    const onDisk = await readFile(new URL(`../${path}`, import.meta.url), 'utf8')
    assert.equal(onDisk, text, 'run: node --conditions=gantry-source scripts/generate-docs.ts')
  })
}

test('every error code and every operation has its place in the reference', async () => {
  const pages = await Promise.all(
    ['errors', 'api'].map((name) => readFile(new URL(`../docs/reference/${name}.md`, import.meta.url), 'utf8')),
  )
  for (const code of errorCodes) assert.ok(pages[0]?.includes(`## \`${code}\`\n`), code)
  for (const { method, path } of endpoints)
    assert.ok(pages[1]?.includes(`| \`${method} ${path}\` |`), `${method} ${path}`)
})
