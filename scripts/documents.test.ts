/** The documents tell the truth, as far as a program can see: what they link to, name and count exists. */
import assert from 'node:assert/strict'
import { existsSync, statSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, join, normalize } from 'node:path'
import { test } from 'node:test'
import { errorCatalogue, permissions } from '@gantry/api'
import { commands } from '../packages/cli/src/commands/index.ts'
import { optionsOf } from '../packages/cli/src/create-program.ts'
import { expandCommandLine } from '../packages/cli/src/expand-command-line.ts'
import { settingsInWords } from '../packages/server/src/config/settings.ts'
import { deployStatuses } from '../packages/server/src/delivery/deploy-state.ts'
import { markdownFiles, root } from './documents.ts'

const files = await markdownFiles()
const texts = new Map<string, string>()
for (const path of files) texts.set(path, await readFile(join(root, path), 'utf8'))
const definitions = commands.map(({ definition }) => definition)

for (const [path, text] of texts) {
  test(`${path}: links lead somewhere`, () => {
    assert.deepEqual(
      linksOf(text).flatMap((link) => faultOfLink(path, link) ?? []),
      [],
    )
  })

  test(`${path}: files that it names exist`, () => {
    assert.deepEqual(
      filesNamedIn(text).filter((name) => !isThere(name)),
      [],
    )
  })

  test(`${path}: commands that it shows exist`, () => {
    assert.deepEqual(
      gantryLines(text).flatMap((line) => faultOfCommand(line) ?? []),
      [],
    )
  })

  test(`${path}: npm scripts, settings and error codes that it names exist`, async () => {
    const { scripts } = await manifest('package.json')
    const isScript = (name: string) => name === 'ci' || name === 'install' || scripts?.[name] !== undefined
    const npm = [...text.matchAll(/\bnpm run ([\w:]+)/g)].map((match) => match[1] ?? '')
    assert.deepEqual(
      npm.filter((name) => !isScript(name)),
      [],
      'npm scripts',
    )
    const variables = [...text.matchAll(/\bGANTRY_[A-Z_]+\b/g)].map(([name]) => name)
    assert.deepEqual(
      variables.filter((name) => !knownVariables.has(name)),
      [],
      'variables',
    )
    assert.deepEqual(
      codesNamedIn(text).filter((code) => !knownCodes.has(code)),
      [],
      'codes',
    )
  })
}

test('every page of docs is reached from docs/README.md', () => {
  const seen = new Set<string>()
  const visit = (path: string) => {
    if (seen.has(path)) return
    seen.add(path)
    for (const link of linksOf(texts.get(path) ?? '')) {
      const target = normalize(join(dirname(path), link.split('#')[0] ?? ''))
      if (texts.has(target)) visit(target)
      else for (const inside of files) if (dirname(inside) === target.replace(/\/$/, '')) visit(inside)
    }
  }
  visit('docs/README.md')
  assert.deepEqual(
    files.filter((path) => path.startsWith('docs/') && !seen.has(path)),
    [],
  )
})

test('every dependency has its reason, and no other is named', async () => {
  const wanted = new Set<string>()
  for (const path of ['package.json', ...['api', 'server', 'cli'].map((name) => `packages/${name}/package.json`)]) {
    const { dependencies, devDependencies, optionalDependencies } = await manifest(path)
    for (const name of Object.keys({ ...dependencies, ...devDependencies, ...optionalDependencies })) wanted.add(name)
  }
  const rows = (texts.get('docs/dependencies.md') ?? '').split('\n').filter((line) => line.startsWith('| `'))
  const named = rows.flatMap((row) => [...(row.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)].map((match) => match[1]))
  assert.deepEqual(named.toSorted(), [...wanted].toSorted())
})

test('every status of a deploy has its row', () => {
  const page = texts.get('docs/concepts/deploy-states.md') ?? ''
  const rows = page.slice(0, page.indexOf('<!-- generated: deploy-transitions')).matchAll(/^\| `(\w+)` \|/gm)
  assert.deepEqual(
    [...rows].map((match) => match[1]),
    deployStatuses,
  )
})

test('ARCHITECTURE.md can be read at one sitting', () => {
  assert.ok((texts.get('ARCHITECTURE.md') ?? '').split('\n').length <= 150)
})

/** Targets of Markdown links outside code. */
function linksOf(text: string): string[] {
  const prose = text
    .replaceAll(/^```[\s\S]*?^```$/gm, '')
    .replaceAll(/`[^`\n]*`/g, (code) => code.replaceAll(/[[\]()]/g, ' '))
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1] ?? '')
}

function faultOfLink(path: string, link: string): string | undefined {
  if (/^https?:/.test(link)) return undefined
  const [name = '', anchor] = link.split('#')
  const target = name === '' ? path : normalize(join(dirname(path), name))
  if (!existsSync(join(root, target))) return `${link}: no such file`
  if (anchor === undefined) return undefined
  const headings = [...(texts.get(target) ?? '').matchAll(/^#+ (.*)$/gm)].map((match) => slugOf(match[1] ?? ''))
  return headings.includes(anchor) ? undefined : `${link}: no such heading`
}

/** As GitHub makes an anchor of a heading. */
function slugOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-')
}

const places = [
  '',
  'packages/server/src/',
  'packages/cli/src/',
  'packages/api/src/',
  'packages/server/src/supervisor/',
  'benchmarks/',
]
const sourceFile = /^[\w./-]+\.(?:ts|mjs|sql|cfg|map)$/

/** Code in the text that looks like a file of this repository. */
function filesNamedIn(text: string): string[] {
  const written = text.replaceAll(/^<!-- generated: [\s\S]*?^<!-- end of generated/gm, '')
  const prose = written.replaceAll(/^```[\s\S]*?^```$/gm, '')
  const words = [...prose.matchAll(/`([^`\n]+)`/g)].map((match) => match[1] ?? '')
  return words.filter((word) => sourceFile.test(word) && word.includes('/') && !word.includes('NNNN'))
}

function isThere(name: string): boolean {
  return places.some((place) => {
    const path = join(root, place, name)
    return existsSync(path) && statSync(path).isFile()
  })
}

/** Command lines of `gantry`, from code in the text and from blocks of commands. */
function gantryLines(text: string): string[] {
  const blocks = [...text.matchAll(/^```(?:sh)?(?: gantry-test)?$([\s\S]*?)^```$/gm)].flatMap((match) =>
    (match[1] ?? '').split('\n'),
  )
  const prose = text.replaceAll(/^```[\s\S]*?^```$/gm, '')
  const inline = [...prose.matchAll(/`((?:sudo )?gantry [^`\n]+)`/g)].map((match) => match[1] ?? '')
  const typed = [...blocks, ...inline].flatMap((line) => line.replace(/^\$ /, '').split(/ && | \| /))
  return typed.filter((line) => /^(?:sudo )?gantry [a-z-]/.test(line)).map((line) => line.replace(/^sudo /, ''))
}

/** The command has to exist, and to have the options that are shown. */
function faultOfCommand(line: string): string | undefined {
  const words = line
    .replace(/\s{2,}.*$| #.*$/, '')
    .split(' ')
    .slice(1)
  if (['--version', '--help', 'help'].includes(words[0] ?? '')) return undefined
  const expanded = expandCommandLine(words, definitions)
  const definition = definitions
    .filter(({ path }) => path.every((word, index) => expanded[index] === word))
    .toSorted((a, b) => b.path.length - a.path.length)[0]
  const isGroup = definitions.some(
    ({ path }) => path.length > words.length && words.every((word, index) => path[index] === word),
  )
  if (!definition) return isGroup ? undefined : `${line}: no such command`
  const known = [...Object.keys(optionsOf(definition)), '-h, --help'].flatMap(
    (notation) => notation.match(/--?[\w-]+/g) ?? [],
  )
  const wrong = expanded
    .filter((word) => /^--?[a-z]/.test(word))
    .filter((word) => !known.includes(word.split('=')[0] ?? ''))
  return wrong.length > 0 ? `${line}: no option ${wrong.join(', ')}` : undefined
}

/** What users set, what the command line reads, and what an app is given (running/start-instance.ts, supervisor/instances). */
const knownVariables = new Set([
  ...settingsInWords.map(({ name }) => name),
  ...['GANTRY_URL', 'GANTRY_TOKEN', 'GANTRY_'],
  ...['GANTRY_APP', 'GANTRY_ENVIRONMENT', 'GANTRY_RELEASE', 'GANTRY_INSTANCE_ID'],
])

const knownCodes: ReadonlySet<string> = new Set(Object.keys(errorCatalogue))

/** Words like `no_builder` in a document of users that are nothing else: codes, as links to the reference or by themselves. */
function codesNamedIn(text: string): string[] {
  const linked = [...text.matchAll(/errors\.md#(\w+)/g)].map((match) => match[1] ?? '')
  const prose = text.replaceAll(/^```[\s\S]*?^```$/gm, '')
  const words = [...prose.matchAll(/`([a-z]+(?:_[a-z]+)+)`/g)].map((match) => match[1] ?? '')
  return [...linked, ...words.filter((word) => !otherWords.has(word))]
}

const otherWords = new Set<string>([
  ...deployStatuses,
  ...permissions,
  'node_modules',
  // fields of the API, events of a deploy, programs and columns of PostgreSQL
  ...['rollback_of', 'skip_build', 'roll_out', 'pg_dump', 'team_id'],
])

interface Manifest {
  readonly scripts?: Readonly<Record<string, string>>
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

async function manifest(path: string): Promise<Manifest> {
  return JSON.parse(await readFile(join(root, path), 'utf8')) as Manifest
}
