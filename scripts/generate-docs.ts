/**
 * Writes what comes from code: docs/reference/errors.md, api.md, settings.md and cli.md, and the generated blocks of other pages.
 * A test holds them current.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  type CatalogueEntry,
  type Endpoint,
  type ErrorPlace,
  endpoints,
  errorCatalogue,
  errorsOf,
  type Tag,
  tags,
} from '@gantry/api'
import { settingsInWords } from '../packages/server/src/config/settings.ts'
import { cliPage } from './cli-page.ts'
import { markdownFiles } from './documents.ts'
import { fillBlocks } from './generated-blocks.ts'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')

/** Pages by path, relative to the repository. */
export function generatedPages(): Readonly<Record<string, string>> {
  return {
    'docs/reference/errors.md': errorsPage(),
    'docs/reference/api.md': apiPage(),
    'docs/reference/settings.md': settingsPage(),
    'docs/reference/cli.md': cliPage(),
  }
}

const mark = '<!-- Made by scripts/generate-docs.ts. Edit the catalogue or the endpoints in packages/api instead. -->'

const placesInWords: Readonly<Record<ErrorPlace, string>> = {
  api: 'a reply of the API',
  git: 'the answer to `git push`',
  deploy: 'the `errors` of a build or deploy',
  start: 'the terminal, when Gantry starts',
}

function errorsPage(): string {
  const entries = Object.entries(errorCatalogue).sort(([a], [b]) => (a < b ? -1 : 1))
  return [
    mark,
    '# Error codes',
    'Every error of Gantry has one of these codes, a message that says what happened and where, and a link to the page of its code on the installation itself (`/docs/errors/<code>`). Programs go by the code: it names the problem and never changes its meaning.',
    ...entries.map(([code, entry]) => errorSection(code, entry)),
    '',
  ].join('\n\n')
}

function errorSection(code: string, entry: CatalogueEntry): string {
  const places = entry.places.map((place) => placesInWords[place]).join(', ')
  const status = entry.places.includes('api') ? `HTTP ${entry.status}. ` : ''
  return `## \`${code}\`\n\n**${entry.title}.** ${entry.description}\n\n${status}Shows in ${places}.`
}

function apiPage(): string {
  return [
    mark,
    '# The API, operation by operation',
    'The whole contract is the OpenAPI document that every installation serves at `/v1/openapi.json`; `/docs` shows it. This page says which permission each operation requires, and which errors of its own it has besides those that every operation of its form has.',
    ...Object.entries(tags).map(([tag, about]) => tagSection(tag as Tag, about)),
    '## Errors of every operation',
    formErrors(),
    '',
  ].join('\n\n')
}

function tagSection(tag: Tag, about: string): string {
  const rows = endpoints.filter((endpoint) => endpoint.tag === tag).map(row)
  const head = '| operation | | permission | errors of its own |\n|---|---|---|---|'
  return `## ${tag}\n\n${about}\n\n${head}\n${rows.join('\n')}`
}

function row(endpoint: Endpoint): string {
  const own = (endpoint.errors ?? []).map((code) => `\`${code}\``).join(', ')
  return `| \`${endpoint.method} ${endpoint.path}\` | ${endpoint.summary} | \`${endpoint.permission}\` | ${own} |`
}

function formErrors(): string {
  const common = endpoints.map(errorsOf).reduce((all, codes) => all.filter((code) => codes.includes(code)))
  const lines = common.map((code) => `- ${errorCatalogue[code].status} [\`${code}\`](errors.md#${code})`)
  const forms = [
    'A path with an id adds `not_found`.',
    'A body adds `unsupported_media_type` and `payload_too_large`; a JSON one also `invalid_json`, `missing_field`, `invalid_field` and `unknown_field`.',
    '`If-Match` adds `etag_mismatch`; `Idempotency-Key` adds `idempotency_key_reused` and `idempotency_key_in_use`.',
    'A path that exists with another method answers `method_not_allowed`.',
  ]
  return `${lines.join('\n')}\n\n${forms.join('\n')}`
}

function settingsPage(): string {
  const rows = settingsInWords.map(
    ({ name, otherwise, description }) => `| \`${name}\` | ${otherwise} | ${description} |`,
  )
  return [
    '<!-- Made by scripts/generate-docs.ts. Edit packages/server/src/config/settings.ts instead. -->',
    '# Settings',
    'Gantry reads its settings from environment variables when `gantry up` starts. Each has a default, so that a fresh checkout needs none; a value that cannot be used stops the start with [`setting_invalid`](errors.md#setting_invalid) and the name of the variable. The command line reads `GANTRY_URL` and `GANTRY_TOKEN`.',
    `| variable | default | |\n|---|---|---|\n${rows.join('\n')}`,
    '',
  ].join('\n\n')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [path, text] of Object.entries(generatedPages())) await write(path, text)
  for (const path of await markdownFiles()) {
    const text = await readFile(join(root, path), 'utf8')
    const filled = fillBlocks(text)
    if (filled !== text) await write(path, filled)
  }
}

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true })
  await writeFile(join(root, path), text)
  console.log(`wrote ${path}`)
}
