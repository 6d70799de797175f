import type { ChildProcess } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readlinkSync, rmSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { ownToolchain } from '../../src/kernel/own-toolchain.ts'
import { spawnArgv } from '../../src/kernel/spawn-argv.ts'
import type { ReadyEvent, StartEvent } from '../../src/supervisor/events.ts'
import { keyOfHome } from '../../src/supervisor/home/lock.ts'
import { processTable } from '../../src/supervisor/instances/processes.ts'
import { askLifecycle } from '../../src/supervisor/lifecycle/client.ts'
import type { LifecycleStatus, LifecycleVerbs } from '../../src/supervisor/lifecycle/protocol.ts'
import { findPrograms } from '../../src/supervisor/programs/find-programs.ts'

const fixture = fileURLToPath(new URL('./supervisor.fixture.ts', import.meta.url))

export interface PlatformOptions {
  /** Of the home, below a folder of its own. */
  readonly name?: string
  /** Whom the supervisor runs as. */
  readonly uid?: number
  /** Whether it brings the embedded PostgreSQL. */
  readonly database?: boolean
  /** A command that ends in running the one after it: `['setpriv', …]`. */
  readonly through?: readonly string[]
}

/** A home of its own below the temporary folder, with the real supervisor over fixture programs. */
export class TestPlatform {
  readonly root: string
  readonly options: PlatformOptions
  readonly home: string
  readonly #uid: number | undefined
  readonly #started: ChildProcess[] = []
  ready: ReadyEvent | undefined

  constructor(options: PlatformOptions = {}) {
    this.options = options
    this.root = mkdtempSync(join(tmpdir(), 'gantry-test-'))
    chmodSync(this.root, 0o755)
    this.home = join(this.root, options.name ?? 'home')
    this.#uid = options.uid
    mkdirSync(this.home, { recursive: true })
    const own = ownToolchain(this.home)
    for (const folder of [own.nodeFolder, own.npmFolder]) mkdirSync(folder, { recursive: true }) // copying takes a while
    if (options.uid !== undefined) {
      for (const path of [this.root, this.home, join(this.home, 'toolchains')])
        chownSync(path, options.uid, options.uid)
    }
  }

  /** Starts a supervisor; resolves with its last event: `ready` or `failed`. */
  async up(env: Record<string, string> = {}): Promise<{ child: ChildProcess; last: StartEvent; events: StartEvent[] }> {
    const command = [
      ...(this.options.through ?? []),
      process.execPath,
      '--conditions=gantry-source',
      fixture,
      'supervisor',
    ]
    const child = spawnArgv(command[0] ?? '', command.slice(1), {
      env: {
        PATH: process.env.PATH ?? '',
        GANTRY_HOME: this.home,
        GANTRY_API_PORT: String(this.apiPort),
        GANTRY_HTTP_PORT: String(this.httpPort),
        GANTRY_EVENTS_FD: '3',
        ...(this.options.database ? {} : { DATABASE_URL: 'postgres://nobody@localhost/none' }),
        ...env,
      },
      cwd: '/',
      detached: true,
      stdio: ['ignore', 'ignore', 'inherit', 'pipe'],
      ...(this.#uid === undefined ? {} : { uid: this.#uid, gid: this.#uid }),
    })
    this.#started.push(child)
    const events = await readEvents(child.stdio[3] as Readable)
    const last = events.at(-1)
    if (last === undefined) throw new Error('the supervisor ended without a word')
    if (last.event === 'ready') this.ready = last
    return { child, last, events }
  }

  get apiPort(): number {
    return this.ready ? Number(new URL(this.ready.api_url).port) : 0
  }

  get httpPort(): number {
    return this.ready?.http_port ?? 0
  }

  get path(): string {
    return this.ready?.home ?? this.home
  }

  ask<V extends keyof LifecycleVerbs>(verb: V, args: LifecycleVerbs[V]['args']): Promise<LifecycleVerbs[V]['result']> {
    return askLifecycle(join(this.path, 'run/lifecycle.sock'), verb, args, 30_000)
  }

  async pidOf(name: string): Promise<number> {
    const status: LifecycleStatus = await this.ask('status', {})
    const pid = status.programs.find((program) => program.name === name)?.pid
    if (pid === undefined) throw new Error(`${name} does not run: ${JSON.stringify(status.programs)}`)
    return pid
  }

  /** `down`, awaited until nothing of this home is left. */
  async down(): Promise<void> {
    const { pid } = await this.ask('status', {})
    await this.ask('down', {})
    await eventually('the supervisor has ended', () => !isRunning(pid))
  }

  /** Living processes of this home: programs by their mark, PostgreSQL by its folder. */
  left(): string[] {
    const uids = new Set([0, 199_997, 199_999, this.#uid ?? process.getuid?.() ?? 0])
    return [
      ...findPrograms({ homeKey: keyOfHome(this.home), uids, table: processTable, nameByLending: () => undefined }).map(
        ({ name, pid }) => `${name} ${pid}`,
      ),
      ...processTable
        .all()
        .flatMap(({ pid, zombie }) => (!zombie && worksBelow(pid, this.home) ? [`process ${pid}`] : [])),
    ]
  }

  async destroy(): Promise<void> {
    await this.down().catch(() => undefined)
    for (const child of this.#started) if (child.exitCode === null) child.kill('SIGKILL')
    for (const text of this.left()) signal(Number(text.split(' ')[1]), 'SIGKILL')
    await eventually('nothing is left', () => this.left().length === 0)
    rmSync(this.root, { recursive: true, force: true, maxRetries: 10 })
    if (this.path !== this.home) rmSync(dirname(this.path), { recursive: true, force: true })
  }
}

function worksBelow(pid: number, folder: string): boolean {
  try {
    return readlinkSync(`/proc/${pid}/cwd`).startsWith(folder)
  } catch {
    return false
  }
}

function readEvents(pipe: Readable): Promise<StartEvent[]> {
  return new Promise((resolve) => {
    let text = ''
    const parsed = () =>
      text
        .split('\n')
        .filter(Boolean)
        .map((line): StartEvent => JSON.parse(line))
    pipe.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
      if (/"event":"(ready|failed|stopped)".*\n$/.test(text)) resolve(parsed())
    })
    pipe.once('close', () => resolve(parsed()))
  })
}

export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {
    // it has ended
  }
}

export function isRunning(pid: number): boolean {
  const found = processTable.one(pid)
  return found !== undefined && !found.zombie
}

export async function eventually(what: string, check: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 30_000
  while (!(await check())) {
    if (performance.now() > deadline) throw new Error(`not within 30 s: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

export interface Answer {
  readonly name: string
  readonly pid: number
  readonly build: string
  readonly uid: number
}

/** One request on a connection of its own. */
export function get(port: number, path = '/', host = '127.0.0.1'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    request({ port, host, path, agent: new Agent({ keepAlive: false }) }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk) => {
        text += chunk
      })
      response.once('end', () => resolve(JSON.parse(text)))
      response.once('error', reject)
    })
      .once('error', reject)
      .end()
  })
}

/** Requests without pause until stopped; tells who answered and what failed. */
export function load(
  port: number,
  clients = 4,
): { stop(): Promise<{ pids: Set<number>; failures: string[]; count: number }> } {
  const pids = new Set<number>()
  const failures: string[] = []
  let [stopped, count] = [false, 0]
  const client = async () => {
    while (!stopped) {
      try {
        pids.add((await get(port, '/?wait=5')).pid)
      } catch (error) {
        failures.push(String(error))
      }
      count++
    }
  }
  const running = Array.from({ length: clients }, client)
  return {
    async stop() {
      stopped = true
      await Promise.all(running)
      return { pids, failures, count }
    },
  }
}
