import { join } from 'node:path'
import { messageOf } from '../kernel/errors.ts'
import { type ControlSocket, createControlSocket } from './control-socket.ts'
import type { ReadyEvent } from './events.ts'
import type { HomeLock } from './home/lock.ts'
import type { LifecycleStatus } from './lifecycle/protocol.ts'
import { startSuccessor } from './lifecycle/start-successor.ts'
import type { LifecycleHandlers, LifecycleSocketHandlers } from './lifecycle/verbs.ts'
import { openParts, type Parts } from './parts.ts'
import { logPath } from './programs/platform-programs.ts'
import type { Program } from './programs/program.ts'
import { rotateLog } from './programs/program-log.ts'
import { type ProgramName, Refusal, type SupervisorStatus } from './protocol.ts'
import type { SupervisorContext } from './supervisor-deps.ts'
import { notifySystemd } from './systemd.ts'

const routerGraceMs = 3000
const controlPlaneGraceMs = 10_000
const instanceGraceMs = 10_000
const databaseGraceMs = 30_000
const rotateEveryMs = 60_000

/** The platform over one home, from `start` to `down` (everything stops) or `release` (everything goes on without it). */
export class Supervisor {
  readonly #context: SupervisorContext
  readonly #lock: HomeLock
  readonly #startedAt: Date
  #state: LifecycleStatus['state'] = 'starting'
  #parts: Parts | undefined
  #lifecycle: ControlSocket | undefined
  #control: ControlSocket | undefined
  #started: Promise<void> | undefined
  #rotation: NodeJS.Timeout | undefined
  #hurry = new AbortController()

  constructor(context: SupervisorContext, lock: HomeLock) {
    this.#context = context
    this.#lock = lock
    this.#startedAt = context.clock.now()
  }

  /** Resolves when the platform serves. When it cannot, stops what it started and rejects; what ran before goes on. */
  start(): Promise<void> {
    this.#started = this.#start()
    return this.#started
  }

  /** Stops everything, apps included. A second call cuts the time that they are given. */
  async down(): Promise<void> {
    if (this.#state === 'stopping') return this.#hurry.abort()
    const starting = this.#state === 'starting'
    this.#state = 'stopping'
    this.#context.log.info({}, 'stopping everything')
    if (starting) for (const program of this.#all()) void program.stop(databaseGraceMs) // or the start would wait for it
    await this.#started
    await this.#stopParts()
    await this.#close()
    this.#context.log.info({}, 'stopped')
    this.#context.exit(0)
  }

  /** Ends this supervisor and leaves everything running for the next one. */
  async release(): Promise<void> {
    this.#state = 'stopping'
    this.#letGo()
    await this.#close()
    this.#context.exit(0)
  }

  status(): LifecycleStatus {
    const { identity, home, settings } = this.#context
    const api = this.#parts?.sockets.api[0]?.address
    return {
      ...this.#programs(),
      state: this.#state,
      ...identity,
      home: home.path,
      apiUrl: urlOf(api ?? { host: '127.0.0.1', port: settings.apiPort }),
      httpPort: this.#parts?.sockets.http[0]?.address.port ?? settings.httpPort,
    }
  }

  async #start(): Promise<void> {
    const { log, identity } = this.#context
    log.info({ ...identity, pid: process.pid }, 'starting')
    try {
      this.#lifecycle = await this.#openLifecycle()
      const { parts, bringUp } = await openParts(this.#context, () => this.#handlers())
      this.#parts = parts
      this.#control = await bringUp()
    } catch (error) {
      if (this.#isStopping()) return // `down` sees to the rest
      log.error({ cause: messageOf(error) }, 'cannot start')
      await this.#giveUp()
      throw error
    }
    if (this.#isStopping()) return
    this.#state = 'ready'
    this.#rotation = setInterval(() => this.#rotateLogs(), rotateEveryMs)
    this.#rotation.unref()
    this.#tellReady()
    void notifySystemd(this.#context)
  }

  #isStopping(): boolean {
    return this.#state === 'stopping'
  }

  #tellReady(): void {
    const { pid, version, home, apiUrl, httpPort } = this.status()
    const { log, clock, tell } = this.#context
    const ms = Math.round(clock.monotonicMs()) // since the process began: what a user waits for
    const ready: ReadyEvent = { event: 'ready', pid, version, home, api_url: apiUrl, http_port: httpPort, ms }
    log.info({ ms }, 'ready')
    tell(ready)
  }

  /** A start that failed: what ran before it is left alone, as after a crash; else nothing stays. */
  async #giveUp(): Promise<void> {
    if (this.#parts?.found) this.#letGo()
    else await this.#stopParts()
    await this.#close()
  }

  #handlers(): LifecycleHandlers {
    return {
      status: async () => this.#programs(),
      replaceProgram: ({ program }) => this.#replaceProgram(program),
      down: async () => this.#soon(() => this.down()),
      replace: async () => this.#soon(() => this.release()),
    }
  }

  #openLifecycle(): Promise<ControlSocket> {
    const { home, log } = this.#context
    const handlers: LifecycleSocketHandlers = {
      status: async () => this.status(),
      down: async () => this.#soon(() => this.down()),
      replaceProgram: ({ program }) => this.#replaceProgram(program),
      restart: () => this.#giveOver({ ...this.#context.commandOf('supervisor'), cwd: '/', env: process.env }),
      upgrade: (args) => this.#giveOver(args),
    }
    const path = join(home.path, 'run/lifecycle.sock')
    return createControlSocket({ path, owner: undefined, handlers, onChange: () => () => undefined, log })
  }

  async #giveOver(args: Parameters<typeof startSuccessor>[1]): Promise<{ pid: number }> {
    await this.#started?.catch(() => undefined)
    if (this.#state !== 'ready' || !this.#parts) throw new Refusal('Stopping', 'the supervisor is not ready')
    const { api, http } = this.#parts.sockets
    const pid = await startSuccessor(this.#context, args, [...api, ...http])
    this.#soon(() => this.release())
    return { pid }
  }

  async #replaceProgram(name: ProgramName): Promise<null> {
    await this.#started?.catch(() => undefined)
    const program = this.#all().find((it) => it.name === name)
    if (this.#state !== 'ready' || !program) throw new Refusal('SpecRejected', `${name} does not run here`)
    await program.replace()
    return null
  }

  /** After the reply has been written. */
  #soon(work: () => Promise<void>): null {
    setImmediate(() => {
      work().catch((error: unknown) => {
        this.#context.log.error({ cause: messageOf(error) }, 'cannot end as asked')
        this.#context.exit(1)
      })
    })
    return null
  }

  #programs(): SupervisorStatus {
    const programs = this.#all().map((program) => program.status())
    return { pid: process.pid, startedAt: this.#startedAt.toISOString(), programs }
  }

  #all(): Program[] {
    if (!this.#parts) return []
    const { database, router, controlPlane } = this.#parts
    return [...(database.program ? [database.program] : []), controlPlane, router]
  }

  /** The control plane goes before the apps, or it would start them again; the database goes last. */
  async #stopParts(): Promise<void> {
    if (!this.#parts) return
    const { controlPlane, router, instances, database } = this.#parts
    await Promise.all([
      this.#within(controlPlaneGraceMs, (ms) => controlPlane.stop(ms)),
      this.#within(routerGraceMs, (ms) => router.stop(ms)),
    ])
    await this.#within(instanceGraceMs, (ms) => instances.instances.stopAll(ms))
    instances.close()
    await database.program?.stop(databaseGraceMs)
  }

  /** Stops something in its time, or at once when it is asked a second time. */
  async #within(graceMs: number, stop: (graceMs: number) => Promise<void>): Promise<void> {
    const { signal } = this.#hurry
    if (signal.aborted) return await stop(0)
    const hurried = new Promise<void>((resolve) =>
      signal.addEventListener('abort', () => resolve(stop(0)), { once: true }),
    )
    await Promise.race([stop(graceMs), hurried])
  }

  #letGo(): void {
    for (const program of this.#all()) program.release()
    this.#parts?.instances.instances.detach()
    this.#parts?.instances.close()
  }

  async #close(): Promise<void> {
    clearInterval(this.#rotation)
    await this.#control?.close()
    for (const socket of [...(this.#parts?.sockets.api ?? []), ...(this.#parts?.sockets.http ?? [])]) socket.close()
    await this.#lifecycle?.close()
    await this.#lock.release()
  }

  #rotateLogs(): void {
    for (const name of ['supervisor', 'server', 'router', 'postgres'] as const) {
      try {
        rotateLog(logPath(this.#context.home.path, name))
      } catch (error) {
        this.#context.log.warn({ name, cause: messageOf(error) }, 'a log could not be rotated')
      }
    }
  }
}

function urlOf({ host, port }: { readonly host: string; readonly port: number }): string {
  const loopback = ['127.0.0.1', '::1', '0.0.0.0', '::'].includes(host)
  if (loopback) return `http://localhost:${port}`
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}
