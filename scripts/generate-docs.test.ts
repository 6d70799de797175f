import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { endpoints, errorCodes } from '@gantry/api'
import { markdownFiles } from './documents.ts'
import { generatedPages } from './generate-docs.ts'
import { blocks, blocksIn, fillBlocks } from './generated-blocks.ts'

for (const [path, text] of Object.entries(generatedPages())) {
  test(`${path} is current`, async () => {
    const onDisk = await readFile(new URL(`../${path}`, import.meta.url), 'utf8')
    assert.equal(onDisk, text, 'run: npm run docs')
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

test('every generated block stands in a page and is current', async () => {
  const found: string[] = []
  for (const path of await markdownFiles()) {
    const text = await readFile(new URL(`../${path}`, import.meta.url), 'utf8')
    assert.equal(text, fillBlocks(text), `${path}: run npm run docs`)
    found.push(...blocksIn(text))
  }
  assert.deepEqual(found.toSorted(), Object.keys(blocks).toSorted())
})
