import { chmod, mkdir, open } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import type { App } from '@gantry/api'
import type { Context } from './context.ts'
import { type RunResult, runArgv } from './kernel/spawn-argv.ts'

export type RemoteOutcome = 'set' | 'no_repository' | 'other_remote'

/**
 * Makes this folder's repository push to the app: the remote `gantry`, and the token in a 0600 file that git's own
 * `store` helper reads for that URL alone. A helper of ours would cost every push a process.
 */
export async function setRemote(context: Context, app: App): Promise<RemoteOutcome> {
  const git = (args: readonly string[], input?: string) =>
    runArgv(context.spawnArgv, 'git', args, { cwd: context.cwd, env: { ...context.env }, ...(input && { input }) })
  const inside = await git(['rev-parse', '--is-inside-work-tree']).catch(() => undefined)
  if (inside?.stdout.trim() !== 'true') return 'no_repository'
  const present = await git(['remote', 'get-url', 'gantry'])
  if (present.exitCode === 0 && !isOurs(present.stdout.trim(), app)) return 'other_remote'
  const verb = present.exitCode === 0 ? 'set-url' : 'add'
  demand(await git(['remote', verb, '--', 'gantry', app.git_url]))
  // a proxy that was meant for the internet cannot reach this machine
  const isLocal = loopback.includes(new URL(app.git_url).hostname)
  if (isLocal) demand(await git(['config', '--local', '--replace-all', 'remote.gantry.proxy', '']))
  await storeCredentials(context, app, git)
  return 'set'
}

/** The same app; the platform's port or host name may have changed. */
function isOurs(url: string, app: App): boolean {
  return URL.canParse(url) && new URL(url).pathname === new URL(app.git_url).pathname
}

const loopback = ['localhost', '127.0.0.1', '[::1]']

async function storeCredentials(
  context: Context,
  app: App,
  git: (args: readonly string[], input?: string) => Promise<RunResult>,
): Promise<void> {
  const { origin, host, protocol } = new URL(app.git_url)
  const file = join(
    context.env.XDG_CONFIG_HOME ?? join(context.env.HOME ?? homedir(), '.config'),
    'gantry',
    'git-credentials',
  )
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  await (await open(file, 'a', 0o600)).close()
  await chmod(file, 0o600)
  const section = `credential.${origin}`
  demand(await git(['config', '--local', '--replace-all', `${section}.helper`, '']))
  demand(await git(['config', '--local', '--add', `${section}.helper`, `store --file=${quoted(file)}`]))
  const { token } = await context.login()
  const credential = `protocol=${protocol.slice(0, -1)}\nhost=${host}\nusername=gantry\npassword=${token ?? ''}\n\n`
  demand(await git(['credential-store', '--file', file, 'store'], credential))
}

/** git hands a helper's line to a shell; the path is ours to quote. */
function quoted(path: string): string {
  return `'${path.replaceAll("'", "'\\''")}'`
}

function demand(result: RunResult): void {
  if (result.exitCode !== 0) throw new Error(`git: ${result.stderr.trim()}`)
}
