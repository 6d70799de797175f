/** A real platform for a scenario: its own home, its own ports, started by the launcher a user would type. */
import { type ChildProcess, spawn } from 'node:child_process'
import { access, chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createResponseValidator } from '../../packages/server/test/support/validate-responses.ts'
import { eventually } from './eventually.ts'

export const checkout = join(dirname(fileURLToPath(import.meta.url)), '..', '..')

export interface Finished {
  readonly exitCode: number | null
  readonly stdout: string
  readonly stderr: string
  /** Both streams in the order in which they came. */
  readonly output: string
}

export interface RunOptions {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  readonly input?: string
  readonly timeoutMs?: number
}

export interface Platform {
  readonly home: string
  /** Folder for projects, removed with the platform. */
  readonly work: string
  readonly apiUrl: string
  readonly apiPort: number
  readonly httpPort: number
  readonly env: Readonly<Record<string, string>>
  gantry(args: readonly string[], options?: RunOptions): Promise<Finished>
  git(args: readonly string[], options?: RunOptions): Promise<Finished>
  /** An API call with the owner's token; the parsed body. */
  api<T = Record<string, never>>(method: string, path: string, body?: unknown): Promise<{ status: number; body: T }>
  token(): Promise<string>
  /** Starts `gantry up` again over the same home. */
  up(): Promise<void>
  /** Ctrl-C of `gantry up`, awaited. */
  down(): Promise<void>
  /** The running `gantry up`. */
  process(): ChildProcess
  /** `down` and everything removed. */
  destroy(): Promise<void>
}

export interface PlatformOptions {
  readonly env?: Readonly<Record<string, string>>
  /** Appended to the temporary folder's name: `with space`. */
  readonly homeName?: string
  /** With `gantry up --detach`, so that nothing of the test's stands between it and the supervisor. */
  readonly detach?: boolean
  /** The checkout whose platform is started; default: this one. Commands are always this one's. */
  readonly from?: string
}

export async function startPlatform(options: PlatformOptions = {}): Promise<Platform> {
  const root = await mkdtemp(join(tmpdir(), 'gantry-e2e-'))
  const home = join(root, options.homeName ?? 'home')
  const work = join(root, 'work')
  const userHome = join(root, 'user')
  for (const folder of [work, userHome]) await mkdir(folder, { recursive: true })
  await allowTraversal(root)
  const [apiPort, httpPort] = [await freePort(), await freePort()]
  const env: Record<string, string> = {
    PATH: process.env.PATH ?? '',
    HOME: userHome,
    GANTRY_HOME: home,
    GANTRY_API_PORT: String(apiPort),
    GANTRY_HTTP_PORT: String(httpPort),
    GIT_AUTHOR_NAME: 'Dev',
    GIT_AUTHOR_EMAIL: 'dev@example.com',
    GIT_COMMITTER_NAME: 'Dev',
    GIT_COMMITTER_EMAIL: 'dev@example.com',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    NO_COLOR: '1',
    ...registrySettings(),
    ...options.env,
  }
  const platform = new RunningPlatform({
    root,
    home,
    work,
    apiPort,
    httpPort,
    env,
    from: options.from ?? checkout,
    isDetached: options.detach ?? false,
  })
  try {
    await platform.up()
  } catch (error) {
    await platform.destroy()
    throw error
  }
  return platform
}

/** What this machine needs to reach its package registry, and nothing else of its environment. */
function registrySettings(): Record<string, string> {
  const names = [
    'NODE_EXTRA_CA_CERTS',
    'HTTPS_PROXY',
    'HTTP_PROXY',
    'NO_PROXY',
    'https_proxy',
    'http_proxy',
    'no_proxy',
    'NPM_CONFIG_REGISTRY',
    'npm_config_registry',
    'NPM_CONFIG_CAFILE',
    'npm_config_cafile',
    'SSL_CERT_FILE',
  ]
  return Object.fromEntries(names.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])))
}

/** mkdtemp makes folders 0700; with a platform started as root its other uids must get through. */
async function allowTraversal(folder: string): Promise<void> {
  await chmod(folder, 0o711)
}

export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise<void>((resolve) => server.close(() => resolve()))
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

interface Place {
  readonly root: string
  readonly home: string
  readonly work: string
  readonly apiPort: number
  readonly httpPort: number
  readonly env: Record<string, string>
  readonly from: string
  readonly isDetached: boolean
}

class RunningPlatform implements Platform {
  readonly home: string
  readonly work: string
  readonly apiUrl: string
  readonly apiPort: number
  readonly httpPort: number
  readonly env: Record<string, string>
  readonly #root: string
  readonly #replies = createResponseValidator({ recordTo: process.env.GANTRY_RECORD_REPLIES })
  readonly #from: string
  readonly #isDetached: boolean
  #up: ChildProcess | undefined
  #upOutput = ''

  constructor(place: Place) {
    this.home = place.home
    this.work = place.work
    this.apiPort = place.apiPort
    this.httpPort = place.httpPort
    this.apiUrl = `http://127.0.0.1:${place.apiPort}`
    this.env = place.env
    this.#root = place.root
    this.#from = place.from
    this.#isDetached = place.isDetached
  }

  gantry(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
    return run(join(checkout, 'gantry'), args, { ...options, env: { ...this.env, ...options.env } })
  }

  git(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
    return run('git', args, { ...options, env: { ...this.env, ...options.env } })
  }

  async token(): Promise<string> {
    return (await readFile(join(this.home, 'owner-token'), 'utf8')).trim()
  }

  async api<T>(method: string, path: string, body?: unknown): Promise<{ status: number; body: T }> {
    const mediaType = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json'
    const response = await fetch(`${this.apiUrl}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${await this.token()}`,
        ...(body !== undefined && { 'content-type': mediaType }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    const { status, headers } = response
    this.#replies.check({ method, path, status, headers, body: text })
    return { status: response.status, body: (text ? JSON.parse(text) : {}) as T }
  }

  process(): ChildProcess {
    if (!this.#up) throw new Error('the platform is not up')
    return this.#up
  }

  async up(): Promise<void> {
    if (this.#isDetached) {
      const done = await run(join(this.#from, 'gantry'), ['up', '--no-sample', '--detach'], { env: this.env })
      if (done.exitCode !== 0) throw new Error(`gantry up --detach ended with ${done.exitCode}:\n${done.output}`)
      return
    }
    const child = spawn(join(this.#from, 'gantry'), ['up', '--no-sample'], {
      env: this.env,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#up = child
    this.#upOutput = ''
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (text: Buffer) => {
        this.#upOutput += text.toString()
      })
    await eventually('the platform is ready', async () => {
      if (child.exitCode !== null) throw new Error(`gantry up ended with ${child.exitCode}:\n${this.#upOutput}`)
      await access(join(this.home, 'owner-token'))
      const { status } = await this.api('GET', '/v1/platform')
      if (status !== 200) throw new Error(`GET /v1/platform answered ${status}`)
    })
  }

  async down(): Promise<void> {
    const child = this.#up
    if (!child) return
    this.#up = undefined
    if (child.exitCode !== null || child.signalCode !== null) return
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
    child.kill('SIGINT')
    await ended
  }

  async destroy(): Promise<void> {
    await this.down()
    await run(join(checkout, 'gantry'), ['down'], { env: this.env }) // whatever an upgrade or a crash left behind
    await rm(this.#root, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 }) // a process that just ended may still write its compile cache
  }
}

export function run(file: string, args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  const child = spawn(file, [...args], {
    cwd: options.cwd,
    env: { ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: options.timeoutMs ?? 120_000,
    killSignal: 'SIGKILL',
  })
  let [stdout, stderr, output] = ['', '', '']
  child.stdout.on('data', (text: Buffer) => {
    stdout += text.toString()
    output += text.toString()
  })
  child.stderr.on('data', (text: Buffer) => {
    stderr += text.toString()
    output += text.toString()
  })
  child.stdin.on('error', () => undefined)
  child.stdin.end(options.input)
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (exitCode) => resolve({ exitCode, stdout, stderr, output }))
  })
}

export async function writeFiles(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true })
    await writeFile(join(folder, name), content)
  }
}
