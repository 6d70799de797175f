import { createConnection, type Socket } from 'node:net'
import { backoffMs } from '../../kernel/backoff.ts'
import type { Clock } from '../../kernel/clock.ts'
import { messageOf } from '../../kernel/errors.ts'
import { maxMessageBytes, Refusal, type Verb, type Verbs } from '../../supervisor/protocol.ts'

/** The supervisor does not answer: it is not there, or the connection ended before the reply. Nothing is known then. */
export class SupervisorUnavailable extends Error {
  override readonly name = 'SupervisorUnavailable'
}

/** A connection to the supervisor that comes back by itself. */
export interface SupervisorClient {
  /**
   * Sends a request and waits for its reply. Rejects with `Refusal`, with `SupervisorUnavailable`, or with the signal's
   * reason (what was asked for may still happen). A request is never sent twice.
   */
  call<V extends Verb>(verb: V, args: Verbs[V]['args'], signal?: AbortSignal): Promise<Verbs[V]['result']>
  /** Calls back with each id that changed; with undefined when any may have (the connection is new). */
  onHint(listener: (id: string | undefined) => void): () => void
  close(): void
}

interface Pending {
  resolve(result: unknown): void
  reject(error: Error): void
}

export interface SupervisorClientDeps {
  /** `GANTRY_HOME/run/supervisor.sock` */
  readonly path: string
  readonly clock: Clock
}

export function createSupervisorClient(deps: SupervisorClientDeps): SupervisorClient {
  return new Client(deps)
}

class Client implements SupervisorClient {
  readonly #deps: SupervisorClientDeps
  readonly #pending = new Map<number, Pending>()
  readonly #hintListeners = new Set<(id: string | undefined) => void>()
  readonly #closed = new AbortController()
  #connection: Promise<Socket> | undefined
  #nextId = 1
  #failures = 0

  constructor(deps: SupervisorClientDeps) {
    this.#deps = deps
  }

  async call<V extends Verb>(verb: V, args: Verbs[V]['args'], signal?: AbortSignal): Promise<Verbs[V]['result']> {
    signal?.throwIfAborted()
    const socket = await this.#connect()
    signal?.throwIfAborted()
    const id = this.#nextId++
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    const abort = (): void => reject(signal?.reason)
    signal?.addEventListener('abort', abort, { once: true })
    this.#pending.set(id, { resolve, reject })
    if (socket.destroyed) reject(new SupervisorUnavailable('the supervisor has closed the connection'))
    else socket.write(`${JSON.stringify({ id, verb, args })}\n`)
    try {
      return (await promise) as Verbs[V]['result']
    } finally {
      this.#pending.delete(id)
      signal?.removeEventListener('abort', abort)
    }
  }

  onHint(listener: (id: string | undefined) => void): () => void {
    this.#hintListeners.add(listener)
    if (this.#connection) void this.#askForHints()
    else void this.#keepConnected()
    return () => this.#hintListeners.delete(listener)
  }

  close(): void {
    this.#closed.abort()
    void this.#connection?.then(
      (socket) => socket.destroy(),
      () => undefined,
    )
  }

  #connect(): Promise<Socket> {
    if (this.#closed.signal.aborted) return Promise.reject(new SupervisorUnavailable('the client is closed'))
    if (!this.#connection) {
      const connection = this.#open()
      this.#connection = connection
      connection.catch(() => {
        if (this.#connection === connection) this.#connection = undefined
      })
    }
    return this.#connection
  }

  async #open(): Promise<Socket> {
    const socket = createConnection(this.#deps.path)
    const failed = Promise.withResolvers<never>()
    let cause = 'the supervisor has closed the connection'
    socket.on('error', (error) => {
      cause = `the supervisor does not answer: ${messageOf(error)}`
    })
    socket.once('close', () => {
      failed.reject(new SupervisorUnavailable(cause))
      this.#lost(cause)
    })
    readLines(socket, (line) => this.#receive(line))
    await Promise.race([new Promise<void>((resolve) => socket.once('connect', resolve)), failed.promise])
    failed.promise.catch(() => undefined)
    this.#failures = 0
    if (this.#hintListeners.size > 0) queueMicrotask(() => void this.#askForHints())
    return socket
  }

  #lost(cause: string): void {
    this.#connection = undefined
    for (const { reject } of [...this.#pending.values()]) reject(new SupervisorUnavailable(cause))
    if (this.#hintListeners.size > 0) void this.#keepConnected()
  }

  /** Whoever waits for hints has nothing to ask, so that somebody must connect for them. */
  async #keepConnected(): Promise<void> {
    try {
      await this.#deps.clock.wait(backoffMs(this.#failures++, 50, 1000), this.#closed.signal)
      if (this.#hintListeners.size > 0) await this.#connect()
    } catch {
      // Either closed, or not there yet: then `close` of the socket has led to the next attempt.
    }
  }

  async #askForHints(): Promise<void> {
    try {
      await this.call('hints', {})
      this.#hint(undefined)
    } catch {
      // The connection is gone; the next one asks again.
    }
  }

  #hint(id: string | undefined): void {
    for (const listener of this.#hintListeners) listener(id)
  }

  #receive(line: string): void {
    const message = JSON.parse(line)
    if (typeof message.hint === 'string') this.#hint(message.hint)
    const pending = this.#pending.get(message.id)
    if (message.error) pending?.reject(new Refusal(message.error.name, message.error.message))
    else pending?.resolve(message.ok)
  }
}

function readLines(socket: Socket, onLine: (line: string) => void): void {
  let rest = ''
  socket.setEncoding('utf8')
  socket.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    try {
      for (const line of lines) onLine(line)
    } catch (error) {
      socket.destroy(error instanceof Error ? error : undefined) // not the protocol
    }
    if (rest.length > maxMessageBytes * 8) socket.destroy()
  })
}
