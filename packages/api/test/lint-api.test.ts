import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { lintApi, lintAsSpectral, scoreCategories } from '../../../scripts/lint-api.ts'
import { openapiText } from '../src/index.ts'

test('every linter is content with the document, and IBM gives all points', async () => {
  const { findings, scores } = await lintApi(openapiText())
  assert.deepEqual(findings, [])
  for (const category of scoreCategories) assert.equal(scores[category], 100, category)
})

test('our own rules see what the score does not', async () => {
  // biome-ignore lint/suspicious/noExplicitAny: a document to be broken in many places
  const document: any = JSON.parse(openapiText())
  const apps = document.paths['/v1/apps']
  delete apps.get.security
  delete apps.get.responses['403']
  apps.get.responses.default = apps.get.responses['500']
  delete apps.get.responses['200'].headers['X-Request-ID']
  apps.get.responses['200'].content['application/json'].examples = {}
  delete apps.post.responses['201'].headers.Location
  delete document.components.responses.Unauthorized.headers['WWW-Authenticate']
  delete document.components.responses.TooManyRequests.headers['Retry-After']
  delete document.components.responses.Conflict.content['application/problem+json']
  const found = await rulesBrokenBy(document)
  const rules = [
    'gantry-operation-security',
    'gantry-explicit-errors',
    'gantry-request-id',
    'gantry-primary-example',
    'gantry-error-media-types',
    'gantry-challenge',
    'gantry-retry-after',
    'gantry-location',
  ]
  for (const rule of rules) assert.ok(found.has(rule), `${rule} found nothing`)
})

async function rulesBrokenBy(document: object): Promise<ReadonlySet<string>> {
  const folder = await mkdtemp(join(tmpdir(), 'gantry-test-'))
  try {
    const file = join(folder, 'openapi.json')
    await writeFile(file, JSON.stringify(document))
    return new Set((await lintAsSpectral(file)).map((finding) => finding.split(' ')[2] ?? ''))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
