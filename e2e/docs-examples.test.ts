/** The examples of the documentation, run as a reader would type them. The convention: support/doc-examples.ts. */
import assert from 'node:assert/strict'
import { mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { type Command, missingLine, parseExamples } from './support/doc-examples.ts'
import { eventually } from './support/eventually.ts'
import { checkout, type Platform, run, startPlatform, writeFiles } from './support/platform.ts'

let platform: Platform
before(async () => {
  platform = await startPlatform()
})
after(() => platform.destroy())

const hasCurl = await run('curl', ['--version'], { env: { PATH: process.env.PATH ?? '' } }).then(
  () => true,
  () => false,
)

for (const path of await pages()) {
  const blocks = parseExamples(await readFile(join(checkout, path), 'utf8'))
  if (blocks.length === 0) continue
  test(`the examples in ${path} do what it says`, { skip: hasCurl ? false : 'curl is not installed' }, async () => {
    const place = { folder: join(platform.work, path.replaceAll('/', '-')), path }
    await mkdir(place.folder, { recursive: true })
    for (const block of blocks) {
      if (block.kind === 'file') await writeFiles(place.folder, { [block.name]: here(block.text) })
      else for (const command of block.commands) place.folder = await runCommand(command, place)
    }
  })
}

async function pages(): Promise<string[]> {
  const found: string[] = ['README.md']
  for (const folder of ['docs/start', 'docs/guides', 'docs/reference']) {
    const names = (await readdir(join(checkout, folder))).filter((name) => name.endsWith('.md'))
    found.push(...names.map((name) => `${folder}/${name}`))
  }
  return found.sort()
}

/** Returns the folder that the shell was in at the end. */
async function runCommand(command: Command, { folder, path }: { folder: string; path: string }): Promise<string> {
  const where = `${path}:${command.line}: ${command.text}`
  const attempt = async () => {
    const done = await shell(here(command.text), folder)
    assert.equal(done.exitCode !== 0, command.mustFail, `${where} ended with ${done.exitCode}\n${done.output}`)
    const missing = missingLine(command.expected.map(here), done.output)
    assert.equal(missing, undefined, `${where} does not say "${missing}", but:\n${done.output}`)
    return done.folder
  }
  return command.isRepeated ? await eventually(where, attempt) : await attempt()
}

async function shell(text: string, cwd: string) {
  const place = join(platform.work, '.folder')
  const script = `${text}\nstatus=$?\npwd > ${JSON.stringify(place)}\nexit $status`
  const env = { ...platform.env, PATH: `${checkout}:${platform.env.PATH}` }
  const done = await run('sh', ['-c', script], { cwd, env })
  return { ...done, folder: (await readFile(place, 'utf8')).trim() }
}

/** The documents use the default ports; this platform has others. */
function here(text: string): string {
  return text.replaceAll(':8080', `:${platform.httpPort}`).replaceAll(':4400', `:${platform.apiPort}`)
}
