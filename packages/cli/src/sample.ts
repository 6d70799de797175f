import { cp, mkdir, readdir, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createApp, listApps } from '@gantry/api'
import type { Context } from './context.ts'
import { setRemote } from './git-remote.ts'

const name = 'hello'

function sampleFolder(home: string): string {
  return join(home, 'examples', 'hello-node')
}

/** Nothing was ever deployed from this home: no sample folder, and no app. */
export async function isFirstStart(context: Context): Promise<boolean> {
  const known = await readdir(dirname(sampleFolder(context.home))).catch(() => undefined)
  if (known) return false
  const client = await context.client()
  return (await client.call(listApps, { query: { limit: 1 } })).apps.length === 0
}

/** Does what a new user would do, with the real git, and shows it: create the app, commit, push. */
export async function deploySample(context: Context, httpPort: number): Promise<void> {
  const { terminal } = context
  const folder = sampleFolder(context.home)
  await mkdir(dirname(folder), { recursive: true })
  await cp(bundledSample(), folder, { recursive: true })
  terminal.say('')
  terminal.say(terminal.style('bold', `The first start: deploying the sample from ${folder}`))
  try {
    const git = (...args: string[]) => shown(context, folder, ['git', ...args])
    await git('init', '--quiet', '--initial-branch=main')
    const client = await context.client()
    const app = await client.call(createApp, { body: { name } })
    terminal.say(`  $ gantry apps create ${name}`)
    await setRemote({ ...context, cwd: folder }, app)
    await git('add', '--all')
    await git(
      '-c',
      'user.name=Gantry',
      '-c',
      'user.email=sample@gantry.invalid',
      'commit',
      '--quiet',
      '-m',
      'The sample',
    )
    await git('push', '--quiet', 'gantry', 'main')
    terminal.say(`  ${terminal.style('green', '✓')} http://${name}.localhost:${httpPort} answers`)
  } catch (error) {
    await rm(folder, { recursive: true, force: true })
    terminal.say(`The sample was not deployed: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** In a checkout `examples/` of its top; in an installed package a copy of it. */
function bundledSample(): string {
  const here = dirname(fileURLToPath(import.meta.url))
  return here.endsWith('src')
    ? join(here, '..', '..', '..', 'examples', 'hello-node')
    : join(here, 'examples', 'hello-node')
}

/** Runs a command with its output indented, as it comes. */
async function shown(context: Context, cwd: string, [file = '', ...args]: readonly string[]): Promise<void> {
  context.terminal.say(`  $ ${[file, ...args].filter((arg) => !arg.startsWith('user.') && arg !== '-c').join(' ')}`)
  const child = context.spawnArgv(file, args, { cwd, env: { ...context.env }, stdio: ['ignore', 'pipe', 'pipe'] })
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      for (const line of text.split('\n').filter(Boolean)) context.terminal.say(`    ${line.trimEnd()}`)
    })
  }
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  if (exitCode !== 0) throw new Error(`${file} ${args[0] ?? ''} ended with ${exitCode}`)
}
