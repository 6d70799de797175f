import { cp, mkdir, readdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { createApp, getEnvironment, listApps } from '@gantry/api'
import type { Context } from './context.ts'
import { setRemote } from './git-remote.ts'
import { printable } from './output/printable.ts'

const name = 'hello'

/** A build of a small app takes seconds; what takes longer than this hangs. */
const pushMs = 300_000

/**
 * On the very first start does what a new user would do, with the real git, and shows it: create the app, commit, push.
 * Nothing of it can fail the start. `context` is that of the platform on this machine.
 */
export async function deploySample(context: Context): Promise<void> {
  const folder = join(context.home, 'examples', 'hello-node')
  const { terminal } = context
  try {
    if (context.signal.aborted || !(await isFirstStart(context, folder))) return
    terminal.say('')
    terminal.say(terminal.style('bold', 'The first start: deploying a sample app'))
    await pushSample(context, folder)
    const environment = await (await context.client()).call(getEnvironment, { params: { id: name } })
    terminal.say(
      `  ${terminal.style('green', '✓')} ${terminal.style('bold', environment.url)} answers; its code: ${folder}`,
    )
  } catch (error) {
    if (context.signal.aborted) return
    terminal.say(`The sample was not deployed: ${error instanceof Error ? error.message : String(error)}`)
    terminal.say(`Try again: git -C '${folder}' push gantry main`)
  }
}

/** Nothing was ever deployed from this home: no sample folder, and no app. */
async function isFirstStart(context: Context, folder: string): Promise<boolean> {
  const known = await readdir(dirname(folder)).catch(() => undefined)
  if (known) return false
  const client = await context.client()
  return (await client.call(listApps, { query: { limit: 1 } })).apps.length === 0
}

async function pushSample(context: Context, folder: string): Promise<void> {
  const here = { ...context, cwd: folder, env: gitEnvironment(context.env) }
  await mkdir(dirname(folder), { recursive: true })
  await cp(bundledSample(), folder, { recursive: true })
  // npm leaves files of this name out of packages
  await writeFile(join(folder, '.gitignore'), 'node_modules/\n')
  await show(here, ['git', 'init', '--quiet', '--initial-branch=main'])
  context.terminal.say(`  $ gantry apps create ${name}`)
  await setRemote(here, await (await context.client()).call(createApp, { body: { name } }))
  await show(here, ['git', 'add', '--all'])
  await show(here, ['git', 'commit', '--quiet', '--message=The sample'])
  await show(here, ['git', 'push', '--quiet', 'gantry', 'main'])
}

/** Without the user's settings (hooks, signatures), or those of a repository that this was started from. */
function gitEnvironment(env: Context['env']): Context['env'] {
  const person = { NAME: 'Gantry', EMAIL: 'sample@gantry.invalid' }
  return {
    ...Object.fromEntries(Object.entries(env).filter(([key]) => !key.startsWith('GIT_'))),
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    ...Object.fromEntries(
      ['AUTHOR', 'COMMITTER'].flatMap((role) =>
        Object.entries(person).map(([key, value]) => [`GIT_${role}_${key}`, value]),
      ),
    ),
  }
}

/** In a checkout `examples/` of its top; in an installed package a copy of it. */
function bundledSample(): string {
  const here = dirname(fileURLToPath(import.meta.url))
  const isCheckout = import.meta.url.endsWith('.ts')
  return isCheckout ? join(here, '../../../examples/hello-node') : join(here, 'examples/hello-node')
}

/** Runs a command with its output indented, as it comes. */
async function show(context: Context, [file = '', ...args]: readonly string[]): Promise<void> {
  context.terminal.say(`  $ ${[file, ...args].join(' ')}`)
  const signal = AbortSignal.any([context.signal, AbortSignal.timeout(pushMs)])
  const child = context.spawnArgv(file, args, {
    cwd: context.cwd,
    env: { ...context.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    signal,
  })
  for (const input of [child.stdout, child.stderr]) {
    if (!input) continue
    createInterface({ input }).on('line', (line) => context.terminal.say(`    ${printable(line.trimEnd())}`))
  }
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  if (exitCode !== 0) throw new Error(`${file} ${args[0] ?? ''} ended with ${exitCode}`)
}
