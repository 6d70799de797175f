import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Client } from '@gantry/api'
import { CommandError, exitCodes } from './exit-codes.ts'
import { runArgv, type SpawnArgv } from './kernel/spawn-argv.ts'
import type { PlatformStatus } from './lifecycle.ts'
import type { Terminal } from './output/terminal.ts'

/** What every command gets: where the platform is, who asks, which app is meant, and where words go. */
export interface Context {
  readonly terminal: Terminal
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  readonly isJson: boolean
  /** `GANTRY_HOME` of the platform on this machine. */
  readonly home: string
  readonly spawnArgv: SpawnArgv
  readonly now: () => Date
  /** Aborts on Ctrl-C. */
  readonly signal: AbortSignal
  /** Aborts on the second Ctrl-C. */
  readonly again: AbortSignal
  /** The client for the platform, signed in. Throws `CommandError` when no token is to be found. */
  client(): Promise<Client>
  /** The platform's address, and the token for it where there is one. */
  login(): Promise<Login>
  /** The app that is meant: `--app`, else that of the git remote `gantry` of this folder. */
  app(): Promise<string>
  /** The environment that is meant, as its label: `shop`, `staging--shop`. */
  environment(): Promise<string>
  /** Whether somebody could be asked. */
  readonly isInputTerminal: boolean
  /** All of standard input, as text. */
  readInput(): Promise<string>
}

export interface GlobalOptions {
  readonly json?: boolean
  readonly app?: string
  readonly env?: string
}

export interface ContextParts {
  readonly options: GlobalOptions
  readonly terminal: Terminal
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  readonly spawnArgv: SpawnArgv
  readonly signal: AbortSignal
  readonly again: AbortSignal
  readonly input: AsyncIterable<Uint8Array | string> & { readonly isTTY?: boolean }
  readonly isRoot: boolean
}

export function createContext(parts: ContextParts): Context {
  const { options, env } = parts
  const home = env.GANTRY_HOME ?? (parts.isRoot ? '/var/lib/gantry' : join(env.HOME ?? homedir(), '.gantry'))
  const app = once(async () => options.app ?? (await appOfRemote(parts)))
  const login = once(() => findLogin(env, home))
  return {
    terminal: parts.terminal,
    env,
    cwd: parts.cwd,
    isJson: options.json === true,
    home,
    spawnArgv: parts.spawnArgv,
    now: () => new Date(),
    signal: parts.signal,
    again: parts.again,
    app,
    async environment() {
      return labelOf(await app(), options.env ?? 'production')
    },
    login,
    client: once(async () => clientFor(await login(), home, parts.signal)),
    isInputTerminal: parts.input.isTTY === true,
    async readInput() {
      const chunks: Uint8Array[] = []
      for await (const chunk of parts.input) chunks.push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk)
      return Buffer.concat(chunks).toString('utf8')
    },
  }
}

/** The label by which the API knows an environment: `shop`, `staging--shop`. */
export function labelOf(app: string, environment: string): string {
  return environment === 'production' ? app : `${environment}--${app}`
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined
  return () => {
    made ??= make()
    return made
  }
}

export interface Login {
  readonly url: string
  readonly token: string | undefined
}

/** `GANTRY_URL` and `GANTRY_TOKEN`, else what `gantry login` has saved, else the platform of this machine and its owner. */
async function findLogin(env: Context['env'], home: string): Promise<Login> {
  if (env.GANTRY_URL && !URL.canParse(env.GANTRY_URL)) {
    const message = `GANTRY_URL is ${JSON.stringify(env.GANTRY_URL)}, which is not an address such as https://gantry.example.com.`
    throw new CommandError(exitCodes.usage, message)
  }
  const saved = env.GANTRY_URL ? undefined : await readSavedLogin(env)
  const running = env.GANTRY_URL || saved ? undefined : await urlOfHome(home)
  const url = env.GANTRY_URL ?? saved?.url ?? running ?? `http://localhost:${env.GANTRY_API_PORT ?? '4400'}`
  if (env.GANTRY_TOKEN) return { url, token: env.GANTRY_TOKEN }
  if (saved) return { url, token: saved.token }
  const isHere = running !== undefined || ['localhost', '127.0.0.1', '[::1]'].includes(new URL(url).hostname)
  return { url, token: isHere ? await readOwnerToken(home) : undefined }
}

/**
 * Where the platform over this home answers: its port may be any, and on the usual one may be another user's platform, which
 * is not to see this one's token. `undefined` when no supervisor says so.
 */
async function urlOfHome(home: string): Promise<string | undefined> {
  const { askSupervisor } = await import('./lifecycle.ts')
  const status = await askSupervisor<PlatformStatus>(home, 'status').catch(() => undefined)
  return status?.apiUrl
}

async function readOwnerToken(home: string): Promise<string | undefined> {
  const text = await readFile(join(home, 'owner-token'), 'utf8').catch(() => undefined)
  return text?.trim() || undefined
}

/** Where `gantry login` keeps what it was given. */
export function loginFile(env: Context['env']): string {
  return join(env.XDG_CONFIG_HOME ?? join(env.HOME ?? homedir(), '.config'), 'gantry', 'login.json')
}

async function readSavedLogin(env: Context['env']): Promise<{ url: string; token: string } | undefined> {
  if (env.GANTRY_HOME) return undefined // a home was named: that platform is meant
  const path = loginFile(env)
  const text = await readFile(path, 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  try {
    const { url, token } = JSON.parse(text)
    if (typeof url === 'string' && typeof token === 'string') return { url, token }
  } catch {
    // told below, with what to do
  }
  throw new CommandError(exitCodes.usage, `${path} is damaged.`, 'Sign in again: gantry login URL')
}

async function clientFor({ url, token }: Login, home: string, signal: AbortSignal): Promise<Client> {
  if (!token) throw notSignedIn(url, home)
  const { createClient } = await import('@gantry/api')
  return createClient({ baseUrl: url, token, fetch: interruptible(signal) })
}

/** The same context for the platform on this machine and its owner, whatever else somebody has signed in to. */
export function withLocalPlatform(context: Context, url: string): Context {
  const login = once(async () => ({ url, token: await readOwnerToken(context.home) }))
  return { ...context, login, client: once(async () => clientFor(await login(), context.home, context.signal)) }
}

/** `fetch` that Ctrl-C ends, whatever the call. */
function interruptible(signal: AbortSignal): typeof fetch {
  return (url, init) => fetch(url, { ...init, signal: init?.signal ? AbortSignal.any([init.signal, signal]) : signal })
}

function notSignedIn(url: string, home: string): CommandError {
  const hint = `On the platform's own machine ${join(home, 'owner-token')} is used. Elsewhere: gantry login ${url}, or set GANTRY_TOKEN.`
  return new CommandError(exitCodes.denied, `There is no token for ${url}.`, hint)
}

/** The last part of the `gantry` remote's address: `http://localhost:4400/git/shop.git` is `shop`. */
async function appOfRemote({ spawnArgv, cwd, env }: ContextParts): Promise<string> {
  const asked = await runArgv(spawnArgv, 'git', ['remote', 'get-url', 'gantry'], { cwd, env: { ...env } }).catch(
    () => undefined,
  )
  const name = /\/git\/([a-z0-9-]+)\.git\s*$/.exec(asked?.stdout ?? '')?.[1]
  if (name) return name
  throw new CommandError(
    exitCodes.usage,
    'Which app? This folder has no git remote `gantry`.',
    'Name it: --app NAME. Or make the app here: gantry apps create NAME',
  )
}
